extension Configuration {
  /// `[stats]`: what the CRI tells of pods.
  package struct Stats: Equatable, Sendable {
    /// Key `included_pod_metrics`: groups of metrics that ListPodSandboxMetrics has; `all` alone, or names.
    package var metrics = ["all"]
    /// Key `cpu_period`: how often processor time is looked at, which is what a rate is over; 0 for only when somebody asks.
    package var cpuPeriod = Duration.seconds(10)
    /// Key `disk_period`: how old the figures of a running container's writable layer may be.
    package var diskPeriod = Duration.seconds(10)

    private static let groups = ["cpu", "pressure", "memory", "hugetlb", "oom", "network", "disk", "diskIO", "process", "spec"]

    mutating func apply(_ table: inout TableReader) throws(SettingsError) {
      try table.set(&metrics, "included_pod_metrics", check: Check.groups(Self.groups))
      try table.set(&cpuPeriod, "cpu_period") { $0 == .zero ? nil : Check.duration(.seconds(1) ... .seconds(600))($0) }
      try table.set(&diskPeriod, "disk_period", check: Check.duration(.seconds(1) ... .seconds(3600)))
    }
  }
}
