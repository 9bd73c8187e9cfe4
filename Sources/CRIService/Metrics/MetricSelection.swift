/// Which metrics of pods and containers are told (`[stats] included_pod_metrics`), by CRI-O's names of their groups.
package struct MetricSelection: Sendable {
  let families: [MetricFamily]

  /// - Parameter groups: of ``Group``, or `all`; metrics of no group are always told.
  package init(_ groups: [String]) {
    let chosen = Set(groups.compactMap(Group.init(rawValue:)))
    families = groups.contains("all") ? MetricFamily.all : MetricFamily.all.filter { $0.group.map(chosen.contains) ?? true }
  }

  package enum Group: String, CaseIterable, Sendable {
    case cpu, pressure, memory, hugetlb, oom, network, disk, diskIO, process, spec
  }
}

extension MetricFamily {
  private static let groups: [(prefix: String, group: MetricSelection.Group)] = [
    ("cpu_", .cpu), ("pressure_", .pressure), ("memory_", .memory), ("hugetlb_", .hugetlb), ("oom_", .oom), ("network_", .network),
    ("fs_inodes_", .disk), ("fs_limit_", .disk), ("fs_usage_", .disk), ("fs_", .diskIO), ("blkio_", .diskIO), ("spec_", .spec),
    ("processes", .process), ("file_descriptors", .process), ("sockets", .process), ("threads", .process), ("ulimits_", .process),
  ]

  /// Nil for when a container was started and seen.
  var group: MetricSelection.Group? { Self.groups.first { name.hasPrefix("container_" + $0.prefix) }?.group }
}
