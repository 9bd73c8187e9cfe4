import CRIAPI
import Core
import Linux
import OCI
import Spec

/// Everything mounted on the host for one container, below `<bundle>/mounts`: images as volumes, volumes with other owners.
struct ContainerMounts: Sendable {
  let services: PodServices
  let sandbox: SandboxRecord
  let bundle: String

  var directory: String { Self.directory(bundle) }

  static func directory(_ bundle: String) -> String { bundle + "/mounts" }

  /// Takes all of it away again; nothing there is no error. Before the bundle is removed: what is mounted there is not ours to delete.
  static func unmount(_ bundle: String) async throws {
    let directory = directory(bundle)
    guard Files.exists(directory) else { return }
    try await BlockingWork.run { try Mounts.unmountAll(below: directory) }
  }

  /// The images that mounts name, by the mounts' index.
  func findImages(_ config: Runtime_V1_ContainerConfig) throws -> [Int: ImageRecord] {
    var images: [Int: ImageRecord] = [:]
    for (index, mount) in config.mounts.enumerated() where mount.isImage {
      let name = mount.image.image
      try checkMapping(mount, index)
      images[index] = try stage("ImageVolumeMountFailed: mounts[\(index)].image") {
        guard let image = try services.images.find(name) else {
          throw Fault(.notFound, "image \(name.prefix(300)): is not on this node; pull it")
        }
        return image
      }
    }
    return images
  }

  /// Kubelets say of every mount how the pod maps IDs; an image is seen so anyway, and in no other way.
  private func checkMapping(_ mount: Runtime_V1_Mount, _ index: Int) throws(Fault) {
    guard mount.isMapped, mount.mappedIDs != sandbox.plan.idMaps else { return }
    throw Fault(.invalidArgument, "mounts[\(index)].uidMappings: an image is seen with the pod's owners, and these are others")
  }

  /// Mounts each image; the result are the paths of what the mounts want of them.
  func mount(_ images: [Int: ImageRecord], _ config: Runtime_V1_ContainerConfig, label: String?) async throws -> [Int: String] {
    var paths: [Int: String] = [:]
    for (index, image) in images.sorted(by: { $0.key < $1.key }) {
      let subPath = config.mounts[index].imageSubPath
      paths[index] = try await stage("ImageVolumeMountFailed: mounts[\(index)].image \(image.tags.first ?? "\(image.id)")") {
        try await mount(image, at: "image-\(index)", subPath, label)
      }
    }
    return paths
  }

  private func mount(_ image: ImageRecord, at name: String, _ subPath: String, _ label: String?) async throws -> String {
    let target = "\(directory)/\(name)"
    let view = view(image.layers)
    return try await BlockingWork.run {
      try view.mount(at: target, empty: directory + "/empty", label: label)
      guard !subPath.isEmpty else { return target }
      return try stage("image_sub_path") {
        if let found = try Files.resolve(subPath, within: target) { return found.path }
        throw Fault(.failedPrecondition, "\"\(subPath.prefix(200))\" is not in the image")
      }
    }
  }

  func view(_ layers: [LayerID]) -> ImageView { ImageView(layers: layers, root: LayerViews(services, sandbox).root) }

  /// Where each volume that is to be seen with other owners will be mounted.
  func mappedPaths(_ config: Runtime_V1_ContainerConfig) -> [Int: String] {
    let mapped = config.mounts.enumerated().filter { $0.element.isMapped && !$0.element.isImage }
    return Dictionary(uniqueKeysWithValues: mapped.map { ($0.offset, "\(directory)/volume-\($0.offset)") })
  }

  /// Mounts those volumes. Their host paths exist by now.
  func map(_ config: Runtime_V1_ContainerConfig, _ found: [String: HostPath]) async throws {
    for (index, target) in mappedPaths(config).sorted(by: { $0.key < $1.key }) {
      let mount = config.mounts[index]
      try await stage("mounts[\(index)] (\(mount.containerPath.prefix(200)))") {
        let isDirectory = found[mount.hostPath].map { !$0.exists || $0.isDirectory } ?? true
        try makeTarget(target, isDirectory: isDirectory)
        try await map(mount, to: target)
      }
    }
  }

  private func map(_ mount: Runtime_V1_Mount, to target: String) async throws {
    let propagation: HostPathJob.Propagation =
      switch mount.propagation {
      case .propagationHostToContainer: .slave
      case .propagationBidirectional: .unchanged
      default: .isPrivate
      }
    let maps = mount.mappedIDs
    do {
      try await HostPaths(limit: services.settings.hostPathLimit).map([.map(mount.hostPath, target: target, propagation)], as: maps)
    } catch {
      let fault = Fault(error)
      guard let cause = fault.cause as? SystemError, cause.isUnsupportedMapping else { throw fault }
      throw Fault(.failedPrecondition, "\(fault.message): its filesystem cannot show files with other owners", cause: cause)
    }
  }
}

extension Runtime_V1_Mount {
  fileprivate var mappedIDs: IDMaps { IDMaps(users: uidMappings.map(IDRange.init), groups: gidMappings.map(IDRange.init)) }
}

extension IDRange {
  init(_ range: Runtime_V1_IDMapping) { self.init(inside: range.containerID, outside: range.hostID, count: range.length) }
}

/// Where committed layers are to be taken from for a pod: as they are, or as the pod's user namespace is to see them.
struct LayerViews: Sendable {
  /// As ``LayerLayout`` takes it.
  let root: String

  init(_ services: PodServices, _ sandbox: SandboxRecord) {
    root = sandbox.plan.idMaps == nil ? services.settings.root : sandbox.plan.directory
  }
}

/// An image's files, merged and read-only.
struct ImageView: Sendable {
  /// Lowest first.
  let layers: [LayerID]
  let root: String

  /// Blocks. `empty` is an empty directory that is made where needed: overlay takes no single layer.
  func mount(at target: String, empty: String, label: String? = nil) throws {
    try LayerMarks.checkOverlay(layers, below: root)
    var lower = layers.reversed().map { LayerLayout.files(root, $0) }
    try Files.makeDirectories(target)
    if lower.count < 2 {
      try Files.makeDirectories(empty, mode: 0o755)
      lower += Array(repeating: empty, count: 2 - lower.count)
    }
    try Mounts.overlay(lower, at: target, options: label.map { ["context=\($0)"] } ?? [])
    try Mounts.restrict(target, [.readOnly, .noSUID, .noDevices])
  }
}
