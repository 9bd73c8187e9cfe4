package import CRIAPI
package import Core
package import OCI

/// What the operator of a node wants for every container, as far as its own config does not say it (`[containers]`).
/// Does not change while the daemon runs.
package struct ContainerDefaults: Sendable, Hashable {
  /// Those of a base spec come instead.
  package var limits: [RuntimeSpec.Rlimit] = []
  /// `NAME=value`; image and CRI come over it.
  package var environment: [String] = []
  /// What a container has before the CRI adds and drops.
  package var capabilities = Capability.defaults
  /// What a container is granted is inheritable, too.
  package var inheritsCapabilities = false
  /// What RuntimeDefault means instead of ``DefaultSeccomp``.
  package var seccomp: SeccompProfile?
  /// What a config means that says nothing, in the words of the CRI's deprecated `seccomp_profile_path`.
  package var unsetSeccomp = ""
  /// Of privileged containers, which otherwise have no filter.
  package var privilegedSeccomp: SeccompProfile?
  /// Every container's, before its own.
  package var devices: [Runtime_V1_Device] = []
  /// Host paths of the devices that annotations may name.
  package var allowedDevices: Set<String> = []
  /// Roots are read-only, with a tmpfs where programs expect to write.
  package var isReadonly = false
  /// A container's user gets an entry in /etc/passwd where the image has none for it.
  package var addsUsers = false
  /// The least GOMAXPROCS of containers whose share of the processors is small; 0 for none.
  package var goProcesses: Int64 = 0
  /// A file of the host that says what time it is where, seen as /etc/localtime.
  package var timezone: String?

  package init() {}
}

extension ContainerDefaults {
  /// By names, each with or without `CAP_`.
  package static func capabilities(_ names: [String]) throws(Fault) -> Set<Capability> {
    var set: Set<Capability> = []
    for name in names {
      guard let capability = Capability(named: name) else {
        throw Fault(.invalidArgument, "no capability is called \"\(name.prefix(64))\"")
      }
      set.insert(capability)
    }
    return set
  }

  /// `/dev/fuse`, `/dev/fuse:/dev/fuse` or `/dev/fuse:/dev/fuse:rw`.
  package static func device(_ text: String) throws(Fault) -> Runtime_V1_Device {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let isAbsolute = parts.prefix(2).allSatisfy { $0.hasPrefix("/") }
    guard isAbsolute, parts.count <= 3, parts.count < 3 || !parts[2].isEmpty && parts[2].allSatisfy({ "rwm".contains($0) }) else {
      throw Fault(.invalidArgument, "\"\(text.prefix(200))\" is not a device's path on the host, in the container, and letters of rwm")
    }
    var device = Runtime_V1_Device()
    device.hostPath = parts[0]
    device.containerPath = parts.count > 1 ? parts[1] : parts[0]
    device.permissions = parts.count > 2 ? parts[2] : "rwm"
    return device
  }
}

extension SpecInputs {
  var hasReadonlyRoot: Bool { security.readonlyRootfs || node.defaults.isReadonly }

  /// Where programs expect to write, when the operator made roots read-only.
  var writablePlaces: [RuntimeSpec.Mount] {
    guard node.defaults.isReadonly else { return [] }
    return [("/run", "mode=755"), ("/tmp", "mode=1777"), ("/var/tmp", "mode=1777")].map { path, mode in
      RuntimeSpec.Mount(path, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", mode])
    }
  }
}
