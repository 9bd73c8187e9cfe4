import Core
import Linux
import Logging
import Synchronization

/// Carries changes from one store to another on a thread of its own: gathers, writes in batches, and tries again for as long as it fails.
final class BackgroundWriter: Sendable {
  private struct State {
    var backlog = WriteBacklog()
    var flushes: [CheckedContinuation<Void, any Error>] = []
    var closing = false
    var failures = 0
  }

  private let source: SQLiteStore
  private let target: SQLiteStore
  private let linger: Duration
  private let logger: Logger
  private let state = Mutex(State())
  private let thread = GatheringThread()

  init(from source: SQLiteStore, to target: SQLiteStore, linger: Duration, logger: Logger) throws {
    self.source = source
    self.target = target
    self.linger = linger
    self.logger = logger
    try thread.start("berth-records", linger: { [self] in pause }) { [self] in round() }
  }

  var backlog: Int { state.withLock { $0.backlog.count } }

  func enqueue(_ key: Change.Key) {
    state.withLock { $0.backlog.add(key) }
    thread.ring()
  }

  func enqueueAll() {
    state.withLock { $0.backlog.addAll() }
    thread.ring()
  }

  func flush() async throws {
    try await withCheckedThrowingContinuation { continuation in
      let closed = state.withLock { state in
        if !state.closing { state.flushes.append(continuation) }
        return state.closing
      }
      if closed { return continuation.resume(throwing: Fault(.failedPrecondition, "record writer: closed")) }
      thread.hurry()
    }
  }

  func close() {
    state.withLock { $0.closing = true }
    thread.close()
  }

  /// True while something is left to write.
  private func round() -> Bool {
    let flushes = state.withLock { state in
      defer { state.flushes = [] }
      return state.flushes
    }
    let failure = drain()
    for flush in flushes {
      if let failure { flush.resume(throwing: failure) } else { flush.resume() }
    }
    return failure != nil
  }

  /// The time in which changes gather; after failures it doubles up to half a minute.
  private var pause: Duration {
    let failures = state.withLock { $0.failures }
    return failures == 0 ? linger : min(linger * (1 << min(failures, 12)), .seconds(30))
  }

  /// Writes until nothing is left or something fails.
  private func drain() -> (any Error)? {
    while true {
      let step = state.withLock { $0.backlog.next() }
      if step == .idle { return succeeded() }
      do {
        try perform(step)
      } catch {
        return failed(step, error)
      }
    }
  }

  private func perform(_ step: WriteBacklog.Step) throws {
    switch step {
    case .idle: break
    case .write(let keys): try target.apply(try keys.map { Change(key: $0, json: try source.get($0.kind, id: $0.id)) })
    case .writeAll: try target.apply(try FollowingStore.followedKinds.flatMap(differences))
    }
  }

  /// What would make the target's table equal to the source's. Read from the target first: a record put meanwhile is queued anyway.
  private func differences(_ kind: RecordKind) throws -> [Change] {
    var theirs = Dictionary(try target.load(kind).map { ($0.id, $0.json) }) { first, _ in first }
    var changes: [Change] = []
    for record in try source.load(kind) {
      if theirs.removeValue(forKey: record.id) != record.json {
        changes.append(Change(key: .init(kind: kind, id: record.id), json: record.json))
      }
    }
    return changes + theirs.keys.map { Change(key: .init(kind: kind, id: $0), json: nil) }
  }

  private func succeeded() -> (any Error)? {
    let before = state.withLock { state in
      defer { state.failures = 0 }
      return state.failures
    }
    if before > 0 { logger.notice("records are durable again", metadata: ["failures": "\(before)"]) }
    return nil
  }

  private func failed(_ step: WriteBacklog.Step, _ error: any Error) -> any Error {
    let (failures, backlog) = state.withLock { state in
      state.backlog.putBack(step)
      state.failures += 1
      return (state.failures, state.backlog.count)
    }
    // The first and then ever fewer: 1, 2, 4, 8, …
    if failures & (failures - 1) == 0 {
      logger.error("records not durable yet", metadata: ["error": "\(error)", "failures": "\(failures)", "backlog": "\(backlog)"])
    }
    return error
  }
}
