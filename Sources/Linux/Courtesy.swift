import CLinux
import Synchronization

/// Lets long work in the background make way for short work that somebody waits for. A thread's nice value does not: it counts among the threads of one
/// scheduling group, and a pod's processes are in others (cgroups with the cpu controller, autogroups; sched(7)).
package enum Courtesy {
  /// Short work that runs now, and threads of long work.
  private static let short = Atomic<Int>(0)
  private static let long = Atomic<Int>(0)

  /// As many processors as the start of a pod can use: where so many are left, nobody has to make way.
  private static let enough = 4

  /// Runs `body`, which others make way for.
  package static func during<T>(_ body: () async throws -> T) async rethrows -> T {
    short.add(1, ordering: .relaxed)
    defer { short.subtract(1, ordering: .relaxed) }
    return try await body()
  }

  /// One thread of long work; lives as long as that.
  package struct Pace: ~Copyable {
    private let processors: Int
    /// Of this thread, in nanoseconds of processor time.
    private var worked = SystemClock.threadNanoseconds()

    private static let longest: Int64 = 10_000_000

    package init(processors: Int = Courtesy.processors) {
      self.processors = processors
      Courtesy.long.add(1, ordering: .relaxed)
    }

    deinit { Courtesy.long.subtract(1, ordering: .relaxed) }

    /// To be called every millisecond or so by the thread that works: while something short runs and processors are few it sleeps as long as it has worked
    /// since the last call. Never more than half of its time, so that it comes to an end whatever else there is to do.
    /// - Returns: nanoseconds slept.
    @discardableResult
    package mutating func step() -> Int64 {
      let now = SystemClock.threadNanoseconds()
      defer { worked = now }
      guard Courtesy.short.load(ordering: .relaxed) > 0, processors - Courtesy.long.load(ordering: .relaxed) < Courtesy.enough else {
        return 0
      }
      let pause = min(now - worked, Self.longest)
      var time = timespec(tv_sec: 0, tv_nsec: Int(pause))
      nanosleep(&time, nil)
      return pause
    }
  }

  /// Those that this process may use.
  package static let processors = Int(clinux_processors())
}
