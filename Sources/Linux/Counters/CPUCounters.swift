/// Processor time of a cgroup and all below it. Nanoseconds.
package struct CPUCounters: Sendable, Hashable {
  package var usage: UInt64
  package var user: UInt64 = 0
  package var system: UInt64 = 0
  /// Periods of the bandwidth controller, those in which the group ran out of its quota, and how long it was held back.
  package var periods: UInt64 = 0
  package var throttledPeriods: UInt64 = 0
  package var throttled: UInt64 = 0

  package init(usage: UInt64) { self.usage = usage }

  /// `cpu.stat` of v2, in microseconds. Nil for a text without usage.
  package init?(unified text: [UInt8]) {
    let values = KernelText.values(
      ["usage_usec", "user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec"], in: text)
    guard let usage = values[0] else { return nil }
    self.usage = usage &* 1000
    (user, system) = ((values[1] ?? 0) &* 1000, (values[2] ?? 0) &* 1000)
    (periods, throttledPeriods, throttled) = (values[3] ?? 0, values[4] ?? 0, (values[5] ?? 0) &* 1000)
  }

  /// v1's `cpuacct.stat`, in ticks of 10 ms (USER_HZ is 100 on every architecture that Linux containers run on).
  mutating func add(accounting text: [UInt8]) {
    let values = KernelText.values(["user", "system"], in: text)
    (user, system) = ((values[0] ?? 0) &* 10_000_000, (values[1] ?? 0) &* 10_000_000)
  }

  /// v1's `cpu.stat`.
  mutating func add(bandwidth text: [UInt8]) {
    let values = KernelText.values(["nr_periods", "nr_throttled", "throttled_time"], in: text)
    (periods, throttledPeriods, throttled) = (values[0] ?? 0, values[1] ?? 0, values[2] ?? 0)
  }
}
