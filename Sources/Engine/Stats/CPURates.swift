import Core
import Linux
import Synchronization

/// Samples the processor time of running containers and their pods now and then, so that every call can tell a rate at once; or only when there is a
/// call, which then gets the rate since the one before. Sleeps while nothing runs.
final class CPURates: Sendable {
  /// Nil for only when there is a call.
  private let period: Duration?
  private let histories = Mutex<[String: CPUHistory]>([:])
  private let reader: CgroupReader
  private let bell = Bell()

  init(_ reader: CgroupReader, period: Duration?) {
    self.reader = reader
    self.period = period
  }

  /// A rate for the group at `path` that used `time` until now. `startedAt` (nanoseconds since the epoch, 0 for unknown) serves a group that
  /// is younger than its first sample.
  func nanoCores(_ path: String, time: UInt64, startedAt: Int64 = 0) -> UInt64? {
    let now = CPUHistory.Sample(at: SystemClock.monotonicNanoseconds(), time: time)
    return histories.withLock { histories in
      if let history = histories[path] {
        if period == nil { histories[path]?.add(now) }
        return history.nanoCores(at: now)
      }
      let age = SystemClock.realtimeNanoseconds() - startedAt
      var history = startedAt > 0 && age > 0 && age < Self.memory ? CPUHistory(start: now.at - age) : CPUHistory()
      defer {
        history.add(now)
        histories[path] = history
      }
      return history.nanoCores(at: now)
    }
  }

  /// An average over more than this says nothing about now.
  private static let memory: Int64 = 60_000_000_000

  func ring() { bell.ring() }

  /// Samples for ever. `paths` are the groups that run.
  func run(_ paths: @escaping @Sendable () -> [String]) async {
    while true {
      let running = paths()
      guard let period else {
        keep(running)
        await bell.wait()
        continue
      }
      await BlockingWork.run { [self] in sample(running) }
      if running.isEmpty { await bell.wait() } else { try? await Task.sleep(for: period) }
    }
  }

  /// Forgets all others.
  func keep(_ paths: [String]) {
    let running = Set(paths)
    histories.withLock { histories in histories = histories.filter { running.contains($0.key) } }
  }

  private func sample(_ paths: [String]) {
    var taken: [String: CPUHistory.Sample] = [:]
    for path in paths {
      guard let time = reader.cpuTime(path) else { continue }
      taken[path] = CPUHistory.Sample(at: SystemClock.monotonicNanoseconds(), time: time)
    }
    histories.withLock { histories in
      histories = histories.filter { taken[$0.key] != nil }
      for (path, sample) in taken { histories[path, default: CPUHistory()].add(sample) }
    }
  }
}
