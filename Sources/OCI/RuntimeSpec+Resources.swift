extension RuntimeSpec {
  /// Limits of a cgroup (config-linux.md "Control groups"); also what `runc update` reads.
  package struct Resources: Hashable, Sendable, Codable {
    package var devices: [DeviceRule]?
    package var memory: Memory?
    package var cpu: CPU?
    package var pids: PIDs?
    package var hugepageLimits: [HugepageLimit]?
    /// cgroup v2 files and what is written to them.
    package var unified: [String: String]?
    package var blockIO: BlockIO?
    package var network: Network?
    /// By the device's name.
    package var rdma: [String: RDMA]?

    package init() {}
  }

  package struct DeviceRule: Hashable, Sendable, Codable {
    package var allow: Bool
    /// `c`, `b` or `a`; all where absent.
    package var type: String?
    /// Any where absent.
    package var major: Int64?
    package var minor: Int64?
    /// Letters of `rwm`.
    package var access: String?

    package init(allow: Bool, type: String? = nil, major: Int64? = nil, minor: Int64? = nil, access: String) {
      self.allow = allow
      self.type = type
      self.major = major
      self.minor = minor
      self.access = access
    }
  }

  /// Bytes; -1 is unlimited.
  package struct Memory: Hashable, Sendable, Codable {
    package var limit: Int64?
    /// Memory and swap together, as cgroup v1 counts.
    package var swap: Int64?
    /// What is left to it when memory is short.
    package var reservation: Int64?
    package var kernel: Int64?
    package var kernelTCP: Int64?
    /// 0 to 100.
    package var swappiness: UInt64?
    package var disableOOMKiller: Bool?
    package var useHierarchy: Bool?
    package var checkBeforeUpdate: Bool?

    package init(limit: Int64? = nil, swap: Int64? = nil) {
      self.limit = limit
      self.swap = swap
    }
  }

  package struct CPU: Hashable, Sendable, Codable {
    package var shares: UInt64?
    /// Microseconds in a period.
    package var quota: Int64?
    package var period: UInt64?
    package var cpus: String?
    package var mems: String?
    /// Microseconds beyond the quota.
    package var burst: UInt64?
    package var realtimeRuntime: Int64?
    package var realtimePeriod: UInt64?
    /// 1: only what nobody else wants.
    package var idle: Int64?

    package init() {}
  }

  package struct PIDs: Hashable, Sendable, Codable {
    package var limit: Int64
    package init(limit: Int64) { self.limit = limit }
  }

  package struct HugepageLimit: Hashable, Sendable, Codable {
    /// `2MB`.
    package var pageSize: String
    /// Bytes.
    package var limit: UInt64

    package init(pageSize: String, limit: UInt64) {
      self.pageSize = pageSize
      self.limit = limit
    }
  }
}

extension RuntimeSpec {
  /// Paths a container should not see, as the kubelet names them for `procMount: Default`; for callers that are their own kubelet.
  package static let usualMaskedPaths = [
    "/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
  ]
  /// Paths a container should not write.
  package static let usualReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}
