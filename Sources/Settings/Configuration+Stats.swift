extension Configuration {
  /// `[stats]`: what the CRI tells of pods.
  package struct Stats: Equatable, Sendable {
    /// Key `included_pod_metrics`: groups of metrics that ListPodSandboxMetrics has; `all` alone, or names.
    package var metrics = ["all"]

    private static let groups = ["cpu", "pressure", "memory", "hugetlb", "oom", "network", "disk", "diskIO", "process", "spec"]

    mutating func apply(_ table: inout TableReader) throws(SettingsError) {
      try table.set(&metrics, "included_pod_metrics") { names in
        if names.contains("all") { return names == ["all"] ? nil : "must be \"all\" alone, or names of groups" }
        return names.first { !Self.groups.contains($0) }.map {
          "names \"\($0)\", which is no group of metrics (\(Self.groups.joined(separator: ", ")), or all)"
        }
      }
    }
  }
}
