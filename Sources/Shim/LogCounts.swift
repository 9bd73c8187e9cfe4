import Synchronization

/// What one container said, and what became of it in its log. Counted by the log thread alone, read by the main thread.
final class LogCounts {
  let bytesIn = Atomic<UInt64>(0)
  let bytesOut = Atomic<UInt64>(0)
  let records = Atomic<UInt64>(0)
  let splits = Atomic<UInt64>(0)
}

extension Atomic where Value == UInt64 {
  var now: UInt64 { load(ordering: .relaxed) }

  /// There is one writer.
  func grow(_ amount: Int) { store(now &+ UInt64(amount), ordering: .relaxed) }
}
