import CLinux

/// Carries bytes from one descriptor to another, neither of which it waits for. It reads again when all that it read is written.
final class Pump {
  private static let chunk = 32 << 10

  private var source: Int32
  private var target: Int32
  /// The ends of a terminal are shared: they are not the pump's to close.
  private let closesSource: Bool
  private let closesTarget: Bool
  private var pending = Bytes()
  private var place = 0

  init(from source: Int32, to target: Int32, closesSource: Bool = true, closesTarget: Bool = true) {
    self.source = source
    self.target = target
    self.closesSource = closesSource
    self.closesTarget = closesTarget
    for fd in [source, target] { _ = shim_set_nonblocking(fd) }
  }

  var isOver: Bool { source < 0 }
  var isHeldUp: Bool { !pending.isEmpty }

  func join(_ polls: inout PollSet) {
    place = pending.isEmpty ? polls.add(source, POLLIN) : polls.add(target, POLLOUT)
  }

  /// Once it is ready.
  func serve(_ polls: PollSet) {
    guard !isOver, polls.isReady(place) else { return }
    if pending.isEmpty { fill() }
    flush()
  }

  private func fill() {
    let count = Files.appendChunk(source, &pending, size: Self.chunk)
    if count < 0 && (clinux_errno() == EAGAIN || clinux_errno() == EINTR) { return }
    if count <= 0 { end() }
  }

  private func flush() {
    while !pending.isEmpty {
      let count = pending.withUnsafeBytes { write(target, $0.baseAddress, $0.count) }
      if count < 0 && clinux_errno() == EAGAIN { return }
      if count < 0 && clinux_errno() == EINTR { continue }
      // Who reads no more is told on the other side, too: its writer gets EPIPE.
      guard count >= 0 else { return end() }
      if count == pending.count { pending = [] } else { pending.removeFirst(count) }
    }
  }

  func end() {
    guard !isOver else { return }
    pending = []
    if closesSource { close(source) }
    if closesTarget { close(target) }
    source = -1
  }
}
