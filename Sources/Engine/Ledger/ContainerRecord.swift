package import CRIAPI
package import Core
package import OCI

/// A container as Berth remembers it.
package struct ContainerRecord: LedgerRecord, Codable, Hashable {
  package static let noun = "container"

  package enum State: Sendable, Codable, Hashable {
    /// May become `running` or (StartError) `exited`.
    case created
    /// May become `exited`.
    case running
    case exited(ExitRecord)
  }

  package let id: String
  package let sandboxID: String
  package let config: StoredMessage<Runtime_V1_ContainerConfig>
  /// Config digest of the image.
  package let imageID: Digest
  /// What the image was asked for as, or its repository digest: `ContainerStatus.image_ref`.
  package let imageRef: String
  /// The IDs of images that are volumes, by the index of their mount; absent in records of earlier versions.
  package let volumeImages: [Int: Digest]?
  /// Lowest first, volumes' after those of the image.
  package let layers: [LayerID]
  package let plan: ContainerPlan
  package let user: ContainerUser
  /// Sent by StopContainer first.
  package let stopSignal: Int32
  /// Nanoseconds since the epoch; `startedAt` 0 before the start.
  package let createdAt: Int64
  package var startedAt: Int64
  package var pid: Int32
  package var state: State
  /// Limits as UpdateContainerResources left them; nil while they are those of the config, which stays what was asked for at first.
  package var updatedResources: StoredMessage<Runtime_V1_LinuxContainerResources>?
  /// It was stopped for system calls that its seccomp profile blocks.
  package var isStoppedForCalls: Bool?
  /// Annotations of updates, the latest of each name.
  package var updateAnnotations: [String: String]?
  /// Of its image's config; nil where that has none, and in records of earlier versions.
  package var imageLabels: [String: String]?

  package init(
    id: String, sandboxID: String, config: Runtime_V1_ContainerConfig, image: (id: Digest, ref: String), volumeImages: [Int: Digest] = [:],
    layers: [LayerID], plan: ContainerPlan, user: ContainerUser, stopSignal: Int32, createdAt: Int64
  ) {
    self.id = id
    self.sandboxID = sandboxID
    self.config = StoredMessage(config)
    self.imageID = image.id
    self.imageRef = image.ref
    self.volumeImages = volumeImages.isEmpty ? nil : volumeImages
    self.layers = layers
    self.plan = plan
    self.user = user
    self.stopSignal = stopSignal
    self.createdAt = createdAt
    self.startedAt = 0
    self.pid = 0
    self.state = .created
  }

  package var name: String { config.content.metadata.name }

  /// Limits as they are now.
  package var resources: Runtime_V1_LinuxContainerResources { updatedResources?.content ?? config.content.linux.resources }

  package var exit: ExitRecord? {
    if case .exited(let record) = state { record } else { nil }
  }
}

/// Whom the container's first process runs as.
package struct ContainerUser: Sendable, Codable, Hashable {
  package var uid: UInt32
  package var gid: UInt32
  package var supplementalGroups: [UInt32]

  package init(uid: UInt32, gid: UInt32, supplementalGroups: [UInt32]) {
    self.uid = uid
    self.gid = gid
    self.supplementalGroups = supplementalGroups
  }
}
