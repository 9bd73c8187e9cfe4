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
  /// What the client named, made where it is missing; empty for what Berth itself mounts.
  var hostPath = ""

  init(destination: String, source: String, isReadonly: Bool = false) {
    self.destination = destination
    self.source = source
    self.isReadonly = isReadonly
  }

  init(_ mount: Runtime_V1_Mount, _ index: Int, _ prepared: PreparedMounts) throws(Fault) {
    field = "mounts[\(index)] (\(mount.containerPath.prefix(200)))"
    destination = ContainerPath.clean(mount.containerPath)
    hostPath = mount.hostPath
    source = prepared.resolved[mount.hostPath] ?? mount.hostPath
    isReadonly = mount.readonly
    isRecursivelyReadonly = mount.recursiveReadOnly
    extraOptions = mount.mountOptions
    propagation = try BindMount.propagation(mount.propagation, field)
    try check(mount)
    if mount.isImage { try useImage(prepared.images[index]) }
    if mount.isMapped, !mount.isImage { try useMapped(prepared.mapped[index]) }
  }

  /// Flags of the source's own mount that a user namespace cannot take away: a change of others that leaves them out is refused by the kernel.
  var lockedOptions: [String] = []

  var options: [String] {
    let access = isRecursivelyReadonly ? "rro" : isReadonly ? "ro" : "rw"
    let mode = propagation == .none ? "rprivate" : propagation == .bidirectional ? "rshared" : "rslave"
    return ["rbind", mode, access] + extraOptions + lockedOptions.filter { !extraOptions.contains($0) }
  }

  /// Whatever the client says of it, an image is read-only, and its programs and devices are nobody's way to more rights. A bind mount that
  /// is made read-only loses the flags that its source has: all of them have to be said.
  private mutating func useImage(_ path: String?) throws(Fault) {
    guard let path else { throw Fault(.failedPrecondition, "\(field).image: is not mounted") }
    source = path
    hostPath = ""
    isReadonly = true
    extraOptions = ["nosuid", "nodev"] + extraOptions.filter { !["nosuid", "nodev"].contains($0) }
  }

  private mutating func useMapped(_ path: String?) throws(Fault) {
    guard let path else { throw Fault(.failedPrecondition, "\(field): its ID-mapped mount is not there") }
    source = path
  }

  private func check(_ mount: Runtime_V1_Mount) throws(Fault) {
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

extension Runtime_V1_Mount {
  /// Of an image instead of a host path.
  package var isImage: Bool { hasImage && !image.image.isEmpty }
  /// Its owners are to be seen as others.
  package var isMapped: Bool { !uidMappings.isEmpty || !gidMappings.isEmpty }
}
