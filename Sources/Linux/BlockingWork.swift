import CLinux
import Synchronization

/// Threads for work that blocks (waiting on a process, hashing, mounting): Swift's own few threads must never sleep in a system call.
///
/// Threads are made as work arrives, up to ``limit``; work beyond that queues. An idle thread ends after a few seconds.
package enum BlockingWork {
  package static let limit = 256

  /// Runs `body` on a thread of its own. Not cancelled with the calling task: a body that can hang takes a deadline.
  package static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await run(body, by: pool)
  }

  private static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T, by pool: ThreadPool) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      pool.submit { continuation.resume(with: Result(catching: body)) }
    }
  }

  /// The form for a body that cannot fail.
  package static func run<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T { await run(body, by: pool) }

  private static func run<T: Sendable>(_ body: @escaping @Sendable () -> T, by pool: ThreadPool) async -> T {
    await withCheckedContinuation { continuation in
      pool.submit { continuation.resume(returning: body()) }
    }
  }

  /// For long work that nobody's pod waits for second by second (unpacking, deleting trees): its threads leave the processors to whoever else
  /// wants them, pod starts before all.
  package static func runInBackground<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await run(body, by: background)
  }

  /// The form for a body that cannot fail.
  package static func runInBackground<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T { await run(body, by: background) }

  private static let pool = ThreadPool(limit: limit)
  private static let background = ThreadPool(limit: 64, niceness: 10)
}

/// `@unchecked Sendable`: everything mutable is guarded by `lock`, which the condition variable needs to be a pthread mutex.
private final class ThreadPool: @unchecked Sendable {
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let limit: Int
  private let niceness: Int32
  private var queue: [@Sendable () -> Void] = []
  private var threads = 0
  private var idle = 0

  private static let idleSeconds = 5
  private static let stackSize = 1 << 20

  /// - Parameter niceness: of its threads, above the process's own (setpriority(2): on Linux a thread's).
  init(limit: Int, niceness: Int32 = 0) {
    self.limit = limit
    self.niceness = niceness
    pthread_mutex_init(lock, nil)
    pthread_cond_init(arrived, nil)
  }

  func submit(_ work: @escaping @Sendable () -> Void) {
    pthread_mutex_lock(lock)
    queue.append(work)
    let needsThread = queue.count > idle && threads < limit
    if needsThread { threads += 1 }
    pthread_cond_signal(arrived)
    pthread_mutex_unlock(lock)
    if needsThread { startThread() }
  }

  private func startThread() {
    let pool = Unmanaged.passRetained(self)
    let error = clinux_thread(
      { argument in
        Unmanaged<ThreadPool>.fromOpaque(argument!).takeRetainedValue().serve()
        return nil
      }, pool.toOpaque(), Self.stackSize)
    guard error != 0 else { return }
    pool.release()
    pthread_mutex_lock(lock)
    threads -= 1
    let orphaned = threads == 0
    pthread_mutex_unlock(lock)
    if orphaned { drainHere() }
  }

  /// Without a single thread to be had the work is done where it was asked for: late is better than never.
  private func drainHere() {
    while let work = next(waiting: false) { work() }
  }

  private func serve() {
    if niceness > 0 { _ = nice(niceness) }
    while let work = next(waiting: true) { work() }
  }

  /// The next piece of work; nil (with the thread counted out) when none came for a while.
  private func next(waiting: Bool) -> (@Sendable () -> Void)? {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    if waiting && !awaitWork() {
      threads -= 1
      return nil
    }
    return queue.isEmpty ? nil : queue.removeFirst()
  }

  private func awaitWork() -> Bool {
    var deadline = timespec()
    clock_gettime(CLOCK_REALTIME, &deadline)
    deadline.tv_sec += Self.idleSeconds
    idle += 1
    defer { idle -= 1 }
    while queue.isEmpty {
      if pthread_cond_timedwait(arrived, lock, &deadline) == ETIMEDOUT { return !queue.isEmpty }
    }
    return true
  }
}
