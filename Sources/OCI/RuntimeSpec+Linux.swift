extension RuntimeSpec {
  /// Linux's own part (config-linux.md).
  package struct Linux: Hashable, Sendable, Codable {
    package var namespaces: [Namespace] = []
    package var uidMappings: [IDMapping]?
    package var gidMappings: [IDMapping]?
    package var devices: [Device]?
    package var cgroupsPath: String?
    package var resources: Resources?
    package var rootfsPropagation: String?
    package var seccomp: Seccomp?
    package var sysctl: [String: String]?
    package var maskedPaths: [String]?
    package var readonlyPaths: [String]?
    package var mountLabel: String?
    package var intelRdt: IntelRDT?
    /// By the interface's name on the host.
    package var netDevices: [String: NetDevice]?
    package var personality: Personality?

    package init() {}
  }

  package struct Namespace: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
      case pid, network, mount, ipc, uts, user, cgroup
    }

    package var type: Kind
    /// Joined where there is one; a new namespace otherwise.
    package var path: String?

    package init(_ type: Kind, path: String? = nil) {
      self.type = type
      self.path = path
    }
  }

  /// A device node made in the container.
  package struct Device: Hashable, Sendable, Codable {
    package var path: String
    /// `c`, `b` or `p`.
    package var type: String
    package var major: Int64
    package var minor: Int64
    /// Permission bits.
    package var fileMode: UInt32?
    package var uid: UInt32?
    package var gid: UInt32?

    package init(path: String, type: String, major: Int64, minor: Int64, fileMode: UInt32? = nil, uid: UInt32? = nil, gid: UInt32? = nil) {
      self.path = path
      self.type = type
      self.major = major
      self.minor = minor
      self.fileMode = fileMode
      self.uid = uid
      self.gid = gid
    }
  }

  /// A seccomp filter (config-linux.md "Seccomp"); names are libseccomp's.
  package struct Seccomp: Hashable, Sendable, Codable {
    package var defaultAction: String
    package var defaultErrnoRet: UInt32?
    package var architectures: [String]?
    package var flags: [String]?
    package var listenerPath: String?
    package var listenerMetadata: String?
    package var syscalls: [SeccompRule]?

    package init(defaultAction: String) { self.defaultAction = defaultAction }
  }

  package struct SeccompRule: Hashable, Sendable, Codable {
    package var names: [String]
    package var action: String
    package var errnoRet: UInt32?
    /// All must hold.
    package var args: [SeccompArgument]?

    package init(names: [String], action: String, errnoRet: UInt32? = nil, args: [SeccompArgument]? = nil) {
      self.names = names
      self.action = action
      self.errnoRet = errnoRet
      self.args = args
    }
  }

  package struct SeccompArgument: Hashable, Sendable, Codable {
    package var index: UInt32
    package var value: UInt64
    /// For `SCMP_CMP_MASKED_EQ`: `value` is the mask, this what must be left.
    package var valueTwo: UInt64?
    package var op: String

    package init(index: UInt32, value: UInt64, valueTwo: UInt64? = nil, op: String) {
      self.index = index
      self.value = value
      self.valueTwo = valueTwo
      self.op = op
    }
  }
}
