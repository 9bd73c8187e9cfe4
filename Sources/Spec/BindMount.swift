import CRIAPI
import Core

/// Something of the host that a container sees.
struct BindMount: Hashable {
  enum Propagation: Hashable {
    case none, hostToContainer, bidirectional
  }

  /// Clean container path.
  var destination: String
  var source: String
  var isReadonly = false
  var isRecursivelyReadonly = false
  var propagation = Propagation.none
  /// `noexec`, `nodev`, `nosuid`.
  var extraOptions: [String] = []
  /// For messages: `mounts[2] (/data)`.
  var field = ""
  /// Named by the client: made where it is missing.
  var isHostPath = false

  init(destination: String, source: String, isReadonly: Bool = false) {
    self.destination = destination
    self.source = source
    self.isReadonly = isReadonly
  }

  /// - Parameter images: host paths of mounted images by container path.
  init(_ mount: Runtime_V1_Mount, _ index: Int, _ images: [String: String]) throws(Fault) {
    field = "mounts[\(index)] (\(mount.containerPath.prefix(200)))"
    destination = ContainerPath.clean(mount.containerPath)
    source = mount.hostPath
    isReadonly = mount.readonly
    isRecursivelyReadonly = mount.recursiveReadOnly
    extraOptions = mount.mountOptions
    isHostPath = true
    propagation = try BindMount.propagation(mount.propagation, field)
    if mount.hasImage, !mount.image.image.isEmpty { try useImage(mount, images) }
    try check(mount)
  }

  var options: [String] {
    let access = isRecursivelyReadonly ? "rro" : isReadonly ? "ro" : "rw"
    let mode = propagation == .none ? "rprivate" : propagation == .bidirectional ? "rshared" : "rslave"
    return ["rbind", mode, access] + extraOptions
  }

  private mutating func useImage(_ mount: Runtime_V1_Mount, _ images: [String: String]) throws(Fault) {
    guard let path = images[mount.containerPath] else {
      throw Fault(.unimplemented, "\(field).image: mounting images is not supported yet")
    }
    source = path
    isReadonly = true
    isHostPath = false
  }

  private func check(_ mount: Runtime_V1_Mount) throws(Fault) {
    if !mount.uidMappings.isEmpty || !mount.gidMappings.isEmpty {
      throw Fault(.unimplemented, "\(field): ID-mapped mounts are not supported yet")
    }
    if mount.recursiveReadOnly, !mount.readonly || propagation != .none {
      throw Fault(.invalidArgument, "\(field).recursive_read_only: needs readonly, and propagation PRIVATE")
    }
    for option in extraOptions where !["noexec", "nodev", "nosuid"].contains(option) {
      throw Fault(.invalidArgument, "\(field).mount_options: \"\(option.prefix(64))\", only noexec, nodev and nosuid are possible")
    }
    if destination == "/" { throw Fault(.invalidArgument, "\(field).container_path: nothing can be mounted over the root") }
  }

  private static func propagation(_ asked: Runtime_V1_MountPropagation, _ field: String) throws(Fault) -> Propagation {
    switch asked {
    case .propagationPrivate: return .none
    case .propagationHostToContainer: return .hostToContainer
    case .propagationBidirectional: return .bidirectional
    case .UNRECOGNIZED(let value): throw Fault(.invalidArgument, "\(field).propagation: there is no propagation \(value)")
    }
  }
}
