import CRIAPI
import Engine
import Linux

extension MetricFamily {
  static let processor: [MetricFamily] =
    [
      one("cpu_user_seconds_total", .counter, "Cumulative user CPU time consumed in seconds.") { $0.cpu.map { seconds($0.user) } },
      one("cpu_system_seconds_total", .counter, "Cumulative system CPU time consumed in seconds.") { $0.cpu.map { seconds($0.system) } },
      MetricFamily("cpu_usage_seconds_total", .counter, "Cumulative CPU time consumed in seconds.", labels: ["cpu"]) { subject in
        subject.group?.cpu.map { [(["total"], seconds($0.usage))] } ?? []
      },
      one("cpu_cfs_periods_total", .counter, "Number of elapsed enforcement period intervals.") { $0.cpu?.periods },
      one("cpu_cfs_throttled_periods_total", .counter, "Number of throttled period intervals.") { $0.cpu?.throttledPeriods },
      one("cpu_cfs_throttled_seconds_total", .counter, "Total time duration the container has been throttled, in seconds.") {
        $0.cpu.map { seconds($0.throttled) }
      },
      one("cpu_user_nanoseconds_total", .counter, "Cumulative user CPU time consumed in nanoseconds.") { $0.cpu?.user },
      one("cpu_system_nanoseconds_total", .counter, "Cumulative system CPU time consumed in nanoseconds.") { $0.cpu?.system },
      one("cpu_usage_nanoseconds_total", .counter, "Cumulative CPU time consumed in nanoseconds.") { $0.cpu?.usage },
      one("cpu_cfs_throttled_nanoseconds_total", .counter, "Total time duration the container has been throttled, in nanoseconds.") {
        $0.cpu?.throttled
      },
    ] + pressure

  private static let pressure: [MetricFamily] = [
    stall("pressure_cpu_stalled_seconds_total", "no task of the container could run for want of a CPU") { $0.cpuPressure?.full },
    stall("pressure_cpu_waiting_seconds_total", "tasks of the container waited for a CPU") { $0.cpuPressure?.some },
    stall("pressure_memory_stalled_seconds_total", "no task of the container could go on for want of memory") { $0.memoryPressure?.full },
    stall("pressure_memory_waiting_seconds_total", "tasks of the container waited for memory") { $0.memoryPressure?.some },
    stall("pressure_io_stalled_seconds_total", "no task of the container could go on for I/O congestion") { $0.ioPressure?.full },
    stall("pressure_io_waiting_seconds_total", "tasks of the container waited for I/O") { $0.ioPressure?.some },
  ]

  /// Microseconds of the kernel in whole seconds.
  private static func stall(_ name: String, _ what: String, _ line: @escaping @Sendable (GroupDetails) -> Pressure.Line?) -> MetricFamily {
    one(name, .counter, "Total time in which \(what), in seconds.") { line($0).map { $0.total / 1_000_000 } }
  }
}
