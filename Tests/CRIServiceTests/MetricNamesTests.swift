import CRIAPI
import Testing

@testable import CRIService

/// What both peers tell of pods (containerd 2.x list_metric_descriptors.go, CRI-O statsserver/descriptors.go), by name with the labels after the common
/// ones.
struct MetricNamesTests {
  private static let plain = """
    cpu_user_seconds_total cpu_system_seconds_total cpu_cfs_periods_total cpu_cfs_throttled_periods_total cpu_cfs_throttled_seconds_total
    memory_cache memory_rss memory_kernel_usage memory_mapped_file memory_swap memory_failcnt memory_usage_bytes memory_max_usage_bytes
    memory_working_set_bytes memory_total_active_file_bytes memory_total_inactive_file_bytes memory_active_anon_bytes
    memory_inactive_anon_bytes memory_anon_thp_bytes memory_shmem_thp_bytes memory_file_thp_bytes oom_events_total processes
    file_descriptors sockets threads_max threads last_seen start_time_seconds spec_cpu_period spec_cpu_shares spec_cpu_quota
    spec_memory_limit_bytes spec_memory_reservation_limit_bytes spec_memory_swap_limit_bytes pressure_cpu_stalled_seconds_total
    pressure_cpu_waiting_seconds_total pressure_memory_stalled_seconds_total pressure_memory_waiting_seconds_total
    pressure_io_stalled_seconds_total pressure_io_waiting_seconds_total
    """

  private static let labelled: [String: [String]] = {
    var names: [String: [String]] = [
      "cpu_usage_seconds_total": ["cpu"], "memory_failures_total": ["failure_type", "scope"],
      "blkio_device_usage_total": ["device", "major", "minor", "operation"], "ulimits_soft": ["ulimit"],
      "hugetlb_usage_bytes": ["pagesize"], "hugetlb_max_usage_bytes": ["pagesize"],
    ]
    for name in ["inodes_free", "inodes_total", "limit_bytes", "usage_bytes", "reads_bytes_total", "reads_total", "writes_bytes_total"] {
      names["fs_" + name] = ["device"]
    }
    names["fs_writes_total"] = ["device"]
    for direction in ["receive", "transmit"] {
      for name in ["bytes", "packets", "packets_dropped", "errors"] { names["network_\(direction)_\(name)_total"] = ["interface"] }
    }
    return names
  }()

  /// CRI metrics are whole numbers: what containerd and CRI-O cut to seconds is told in nanoseconds, too.
  private static let own = ["cpu_user", "cpu_system", "cpu_usage", "cpu_cfs_throttled"].map { $0 + "_nanoseconds_total" }

  @Test func `all that either of the peers tells is told, with its labels, and nothing else but exact times`() {
    var expected = Self.labelled
    for name in Self.plain.split(whereSeparator: \.isWhitespace) { expected[String(name)] = [] }
    for name in Self.own { expected[name] = [] }
    let told = Dictionary(uniqueKeysWithValues: MetricFamily.all.map { ($0.name, $0.descriptor.labelKeys) })
    let wanted = Dictionary(
      uniqueKeysWithValues: expected.map { ("container_" + $0.key, ["pod", "namespace", "container", "id", "image"] + $0.value) })
    #expect(told == wanted)
  }
}
