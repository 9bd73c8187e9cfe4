import CLinux

/// Carries bytes from one end to another, neither of which it waits for. It reads again when all that it read is written.
final class Pump {
  /// Nanoseconds for the other side to say that it has seen the end.
  private static let patience: Int64 = 900_000_000

  private let source: Endpoint
  private let target: Endpoint
  private var pending = Bytes()
  private var hasEnded = false
  private var finishing: Int64 = 0

  init(from source: Endpoint, to target: Endpoint) { (self.source, self.target) = (source, target) }

  var isOver: Bool { !target.isOpen }
  var isHeldUp: Bool { !pending.isEmpty }
  /// All is written, and who should have said so is silent.
  var isLate: Bool { finishing > 0 && shim_monotonic() - finishing > Self.patience }

  /// Once: what went wrong at one of its ends.
  func takeFailure() -> Failure? {
    defer { (source.failure, target.failure) = (nil, nil) }
    return source.failure ?? target.failure
  }

  func join(_ polls: inout PollSet) {
    source.join(&polls, pending.isEmpty && !hasEnded ? POLLIN : 0)
    target.join(&polls, pending.isEmpty ? 0 : POLLOUT)
  }

  /// Once one of its ends is ready.
  func serve(_ polls: PollSet) {
    guard !isOver else { return }
    if target.isReady(polls), !target.tend() { return end() }
    if source.isReady(polls), !source.read(into: &pending) { hasEnded = true }
    // Who reads no more is told on the other side, too: its writer gets EPIPE.
    guard pending.isEmpty || target.write(&pending) else { return end() }
    if hasEnded && pending.isEmpty && finishing == 0 { finish() }
  }

  private func finish() {
    source.close()
    finishing = shim_monotonic()
    target.finish()
  }

  func end() {
    pending = []
    source.close()
    target.close()
  }
}
