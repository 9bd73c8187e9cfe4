/// Limits that nothing but an operator's own spec asks for (config-linux.md "Block IO", "Network", "RDMA").
extension RuntimeSpec {
  package struct BlockIO: Hashable, Sendable, Codable {
    package var weight: UInt16?
    package var leafWeight: UInt16?
    package var weightDevice: [WeightDevice]?
    package var throttleReadBpsDevice: [ThrottleDevice]?
    package var throttleWriteBpsDevice: [ThrottleDevice]?
    package var throttleReadIOPSDevice: [ThrottleDevice]?
    package var throttleWriteIOPSDevice: [ThrottleDevice]?
  }

  package struct WeightDevice: Hashable, Sendable, Codable {
    package var major: Int64
    package var minor: Int64
    package var weight: UInt16?
    package var leafWeight: UInt16?
  }

  package struct ThrottleDevice: Hashable, Sendable, Codable {
    package var major: Int64
    package var minor: Int64
    /// Bytes or operations a second.
    package var rate: UInt64
  }

  /// cgroup v1 alone.
  package struct Network: Hashable, Sendable, Codable {
    package var classID: UInt32?
    package var priorities: [Priority]?

    package struct Priority: Hashable, Sendable, Codable {
      package var name: String
      package var priority: UInt32
    }
  }

  package struct RDMA: Hashable, Sendable, Codable {
    package var hcaHandles: UInt32?
    package var hcaObjects: UInt32?
  }
}

/// How the kernel serves a process (config.md "Linux Process"), for runtimes that know it.
extension RuntimeSpec.Process {
  package struct Scheduler: Hashable, Sendable, Codable {
    /// `SCHED_BATCH`.
    package var policy: String
    package var nice: Int32?
    package var priority: Int32?
    package var flags: [String]?
    /// Nanoseconds, for `SCHED_DEADLINE`.
    package var runtime: UInt64?
    package var deadline: UInt64?
    package var period: UInt64?
  }

  package struct IOPriority: Hashable, Sendable, Codable {
    /// `IOPRIO_CLASS_BE`.
    package var `class`: String
    package var priority: Int
  }
}

extension RuntimeSpec.Linux {
  /// personality(2).
  package struct Personality: Hashable, Sendable, Codable {
    /// `LINUX32`.
    package var domain: String
    package var flags: [String]?
  }
}
