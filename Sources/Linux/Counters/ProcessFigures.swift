import CLinux

/// What the kernel tells of one process (proc_pid_stat(5)).
package struct ProcessFigures: Sendable, Hashable {
  /// Seconds since the epoch.
  package var startedAt: Double
  /// Seconds, user and system.
  package var processorTime: Double
  /// Bytes.
  package var resident: UInt64
  package var virtual: UInt64

  /// Of /proc's times: USER_HZ is 100 on every architecture that Linux containers run on.
  private static let ticks = 100.0

  /// Nil where there is no such process.
  package static func read(_ pid: Int32) -> ProcessFigures? {
    guard let fields = ProcessTable.statistics(pid), fields.count > 21, let boot = bootTime() else { return nil }
    func number(_ index: Int) -> UInt64 { UInt64(fields[index]) ?? 0 }
    return ProcessFigures(
      startedAt: boot + Double(number(19)) / ticks, processorTime: Double(number(11) + number(12)) / ticks,
      resident: number(21) * UInt64(sysconf(Int32(_SC_PAGESIZE))), virtual: number(20))
  }

  /// Seconds since the epoch.
  private static func bootTime() -> Double? {
    KernelText.read("/proc/stat").flatMap { KernelText.values(["btime"], in: $0)[0] }.map { Double($0) }
  }
}

extension ProcessTable {
  /// Processes that ended and that their parents have not waited for. Looks at all there are.
  package static func defunct() -> Int { all().count { statistics($0)?.first == "Z" } }
}
