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

  /// Microseconds of the kernel in whole seconds.
  private static let pressure: [MetricFamily] = [
    one(
      "pressure_cpu_stalled_seconds_total", .counter,
      "Total time in which no task of the container could run for want of a CPU, in seconds."
    ) {
      $0.cpuPressure.map { $0.full.total / 1_000_000 }
    },
    one("pressure_cpu_waiting_seconds_total", .counter, "Total time in which tasks of the container waited for a CPU, in seconds.") {
      $0.cpuPressure.map { $0.some.total / 1_000_000 }
    },
    one(
      "pressure_memory_stalled_seconds_total", .counter,
      "Total time in which no task of the container could go on for want of memory, in seconds."
    ) {
      $0.memoryPressure.map { $0.full.total / 1_000_000 }
    },
    one("pressure_memory_waiting_seconds_total", .counter, "Total time in which tasks of the container waited for memory, in seconds.") {
      $0.memoryPressure.map { $0.some.total / 1_000_000 }
    },
    one(
      "pressure_io_stalled_seconds_total", .counter,
      "Total time in which no task of the container could go on for I/O congestion, in seconds."
    ) {
      $0.ioPressure.map { $0.full.total / 1_000_000 }
    },
    one("pressure_io_waiting_seconds_total", .counter, "Total time in which tasks of the container waited for I/O, in seconds.") {
      $0.ioPressure.map { $0.some.total / 1_000_000 }
    },
  ]
}
