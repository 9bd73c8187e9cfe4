package import CRIAPI
package import OCI

/// All that a container's runtime spec follows from.
package struct SpecInputs: Sendable {
  package var id: String
  package var container: Runtime_V1_ContainerConfig
  package var sandbox: Runtime_V1_PodSandboxConfig
  package var image: ImageConfig
  /// As the annotation names it, `docker.io/library/busybox:latest`.
  package var imageName: String
  package var pod: PodFacts
  package var node: NodeFacts
  package var lookups: Lookups
  /// The container stands for the pod itself.
  package var isInfraContainer = false
  /// The pod's runtime handler.
  package var handler = HandlerFacts()
  /// Nil where the container has none.
  package var labels: SELinuxLabels?
  /// What was made ready on the host for the container's mounts.
  package var prepared = PreparedMounts()
  /// Of the artifact that ``seccompArtifact(_:)`` names.
  package var artifactProfile: ArtifactProfile?
  /// Where the OCI runtime would hand over the listener of the container's filter.
  package var seccompSocket = ""
  /// Experimental annotations that count.
  package var allowed = AllowedAnnotations()
  /// The processor that what an exec starts keeps to; nil for any.
  package var execProcessor: Int?
  package var origin = SpecOrigin()
  /// Annotations of pod and container that the runtime handler lets through to the runtime.
  package var passedAnnotations: [String: String] = [:]
  /// Host directories made for the VOLUMEs of the image, by container path; those a CRI mount covers are not used.
  package var imageVolumes: [String: String] = [:]

  package init(
    id: String, container: Runtime_V1_ContainerConfig, sandbox: Runtime_V1_PodSandboxConfig, image: ImageConfig, imageName: String,
    pod: PodFacts, node: NodeFacts, lookups: Lookups
  ) {
    self.id = id
    self.container = container
    self.sandbox = sandbox
    self.image = image
    self.imageName = imageName
    self.pod = pod
    self.node = node
    self.lookups = lookups
  }

  var security: Runtime_V1_LinuxContainerSecurityContext { container.linux.securityContext }
}

/// A spec and what goes with it.
package struct BuiltSpec: Sendable, Hashable {
  package var spec: RuntimeSpec
  /// Host directories that mounts name; those missing are to be made (mode 0755) before the container is created.
  package var hostPaths: [String]
  /// Destinations of binds that CDI specs asked for: files of the host as they are.
  package var hostFiles: Set<String> = []
  /// What StopContainer sends first.
  package var stopSignal: Int32
  /// Of /etc, to be written below ``PreparedMounts/ownFiles`` by their names; those that are not here are the image's own.
  package var userFiles: [String: [UInt8]]
  /// Nil where the container's blocked system calls are nobody's business.
  package var notifier: SeccompNotifier?
  /// What was asked for and cannot be had, and does not matter enough to fail.
  package var warnings: [String]
}

/// Mounts of a container that need more than a line in its spec; by their index in the config.
package struct PreparedMounts: Sendable, Hashable {
  /// Paths of the images (or of what `image_sub_path` names in them).
  package var images: [Int: String] = [:]
  /// Where volumes are mounted with the owners that the container is to see.
  package var mapped: [Int: String] = [:]
  /// Host paths with their symlinks resolved, where something is there (in a child: a host path may hang).
  package var resolved: [String: String] = [:]
  /// Those of them that are no directories.
  package var hostFiles: Set<String> = []
  /// What the operator gives to every container, by container path: copies of the container's own.
  package var copies: [String: String] = [:]
  /// By container path: what the container sees there and cannot change, unless its config mounts something else.
  package var readonlyFiles: [String: String] = [:]
  /// Paths of which it sees nothing, privileged or not.
  package var maskedPaths: [String] = []
  /// The directory where a passwd and a group of the container's own would be.
  package var ownFiles = ""

  package init() {}
}
