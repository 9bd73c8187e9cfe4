import CLinux

/// The kernel's clocks (clock_gettime(2)); neither can fail.
package enum SystemClock {
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  package static func realtimeNanoseconds() -> Int64 { read(CLOCK_REALTIME) }

  /// Nanoseconds since some fixed moment; never goes backwards.
  package static func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }

  /// Nanoseconds that the calling thread has run.
  package static func threadNanoseconds() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

  private static func read(_ clock: Int32) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
