extension RuntimeSpec {
  /// What runs: a container's first process, or one that `exec` adds (config.md "Process").
  package struct Process: Hashable, Sendable, Codable {
    package var terminal: Bool?
    package var consoleSize: ConsoleSize?
    package var user: User
    package var args: [String]
    /// `KEY=value`.
    package var env: [String]
    /// Absolute.
    package var cwd: String
    package var capabilities: Capabilities?
    package var rlimits: [Rlimit]?
    package var noNewPrivileges: Bool?
    package var apparmorProfile: String?
    package var selinuxLabel: String?
    package var oomScoreAdj: Int?
    package var execCPUAffinity: Affinity?
    package var scheduler: Scheduler?
    package var ioPriority: IOPriority?

    package init(args: [String], env: [String] = [], cwd: String = "/", user: User = User()) {
      self.args = args
      self.env = env
      self.cwd = cwd
      self.user = user
    }

    package var encoded: [UInt8] { JSONDocument.encode(self) }
  }

  /// Processors (`0-1`) of what an exec starts: while it joins the container, and in it. Runtimes know it from runc 1.3 on.
  package struct Affinity: Hashable, Sendable, Codable {
    package var initial: String?
    package var final: String?

    package init(_ processors: String) { (initial, final) = (processors, processors) }
  }

  package struct ConsoleSize: Hashable, Sendable, Codable {
    package var height: UInt32
    package var width: UInt32

    package init(height: UInt32, width: UInt32) {
      self.height = height
      self.width = width
    }
  }

  package struct User: Hashable, Sendable, Codable {
    package var uid: UInt32
    package var gid: UInt32
    package var additionalGids: [UInt32]?
    package var umask: UInt32?

    package init(uid: UInt32 = 0, gid: UInt32 = 0, additionalGids: [UInt32]? = nil, umask: UInt32? = nil) {
      self.uid = uid
      self.gid = gid
      self.additionalGids = additionalGids
      self.umask = umask
    }
  }

  /// Names with `CAP_`.
  package struct Capabilities: Hashable, Sendable, Codable {
    package var bounding: [String]
    package var effective: [String]
    package var inheritable: [String]
    package var permitted: [String]
    package var ambient: [String]

    package init(
      bounding: [String] = [], effective: [String] = [], inheritable: [String] = [], permitted: [String] = [], ambient: [String] = []
    ) {
      self.bounding = bounding
      self.effective = effective
      self.inheritable = inheritable
      self.permitted = permitted
      self.ambient = ambient
    }
  }

  package struct Rlimit: Hashable, Sendable, Codable {
    /// `RLIMIT_NOFILE`.
    package var type: String
    package var soft: UInt64
    package var hard: UInt64

    package init(type: String, soft: UInt64, hard: UInt64) {
      self.type = type
      self.soft = soft
      self.hard = hard
    }
  }
}
