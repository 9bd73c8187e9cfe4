package import Core
import Linux
import Synchronization

/// What every container's writable layer occupies, measured in the background: a call only looks it up.
///
/// A layer that may change is walked again after a while, the longer the walk the later: walking never takes more than one fiftieth of the time.
package final class WritableLayers: Sendable {
  package struct Measured: Sendable, Hashable {
    package var usage: DiskUsage
    /// Nanoseconds since the epoch.
    package var at: Int64
    /// Nanoseconds.
    var took: Int64
  }

  /// Nanoseconds.
  private let period: Int64
  private static let share: Int64 = 50

  private let known = Mutex<[String: Measured]>([:])
  private let ledger: Ledger
  private let snapshots: any Snapshotter
  private let bell = Bell()

  /// - Parameter period: between two walks of a layer that may change, where it is quick to walk.
  init(ledger: Ledger, snapshots: any Snapshotter, period: Duration = .seconds(10)) {
    self.period = period.nanoseconds
    self.ledger = ledger
    self.snapshots = snapshots
  }

  /// Nil until it was walked once, which is moments after the container was made.
  package func usage(_ container: String) -> Measured? { known.withLock { $0[container] } }

  /// Of all containers together.
  package var total: DiskUsage { known.withLock { $0.values.reduce(DiskUsage()) { $0 + $1.usage } } }

  func ring() { bell.ring() }

  /// Measures for ever.
  func run() async {
    while true {
      let wait = await measureDue()
      await bell.wait(wait.map { .nanoseconds($0) })
    }
  }

  /// Walks what is due. Returns the nanoseconds until something is again; nil where that takes an event.
  func measureDue() async -> Int64? {
    let records = ledger.containers()
    let ids = Set(records.map(\.id))
    known.withLock { known in known = known.filter { ids.contains($0.key) } }
    var next: Int64?
    for record in records {
      guard var due = due(record) else { continue }
      if due <= SystemClock.realtimeNanoseconds() {
        guard await measure(record.id), let later = self.due(record) else { continue }
        due = later
      }
      next = min(next ?? .max, due)
    }
    return next.map { max(100_000_000, $0 - SystemClock.realtimeNanoseconds()) }
  }

  /// When to walk it again; nil where it cannot change any more.
  private func due(_ record: ContainerRecord) -> Int64? {
    guard let last = usage(record.id) else { return 0 }
    switch record.state {
    case .running: return last.at + max(period, last.took * Self.share)
    case .created: return nil
    case .exited(let exit): return last.at < exit.finishedAt ? 0 : nil
    }
  }

  private func measure(_ id: String) async -> Bool {
    let began = SystemClock.realtimeNanoseconds()
    let monotonic = SystemClock.monotonicNanoseconds()
    guard let usage = try? await snapshots.usage(id) else { return false }
    known.withLock { $0[id] = Measured(usage: usage, at: began, took: SystemClock.monotonicNanoseconds() - monotonic) }
    return true
  }
}
