import Testing

@testable import CRIService

struct MetricSelectionTests {
  @Test func `every metric but those of a container's life belongs to a group, and every group has some`() {
    let outside = MetricFamily.all.filter { $0.group == nil }.map(\.name)
    #expect(outside == ["container_last_seen", "container_start_time_seconds"])
    #expect(Set(MetricFamily.all.compactMap(\.group)) == Set(MetricSelection.Group.allCases))
  }

  @Test func `only the groups that are named are told, and all where all are`() {
    #expect(MetricSelection(["all"]).families.count == MetricFamily.all.count)
    #expect(MetricSelection([]).families.map(\.name) == ["container_last_seen", "container_start_time_seconds"])
    let names = MetricSelection(["diskIO", "oom"]).families.map(\.name)
    #expect(names.contains("container_fs_reads_total") && names.contains("container_blkio_device_usage_total"))
    #expect(names.contains("container_oom_events_total") && !names.contains("container_fs_usage_bytes"))
    #expect(!names.contains { $0.hasPrefix("container_cpu") || $0.hasPrefix("container_memory") })
  }
}
