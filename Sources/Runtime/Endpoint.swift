import CLinux

/// Where a pump's bytes come from or go to, without ever waiting: a descriptor.
class Endpoint {
  private static let chunk = 32 << 10

  private(set) final var descriptor: Int32
  /// The ends of a terminal are shared: they are not one pump's to close.
  private final let isShared: Bool
  private final var place = 0
  /// What the other side has said went wrong.
  final var failure: Failure?

  init(_ descriptor: Int32, isShared: Bool = false) {
    self.descriptor = descriptor
    self.isShared = isShared
    _ = shim_set_nonblocking(descriptor)
  }

  final var isOpen: Bool { descriptor >= 0 }

  /// `wanted`: POLLIN or POLLOUT for what the pump can do with it now, or 0.
  final func join(_ polls: inout PollSet, _ wanted: Int32) {
    let events = events(wanted)
    // Whose end is not asked for would be told without a pause.
    place = polls.add(events == 0 ? -1 : descriptor, events)
  }

  final func isReady(_ polls: PollSet) -> Bool { polls.isReady(place) }

  /// What has to be polled for where the pump wants `wanted`.
  func events(_ wanted: Int32) -> Int32 { wanted }

  /// Appends what has come. False when nothing more can come.
  func read(into bytes: inout Bytes) -> Bool {
    let count = Files.appendChunk(descriptor, &bytes, size: Self.chunk)
    return count > 0 || (count < 0 && (clinux_errno() == EAGAIN || clinux_errno() == EINTR))
  }

  /// Takes from the front of `bytes` what can go now. False where nobody reads any more.
  func write(_ bytes: inout Bytes) -> Bool {
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && clinux_errno() == EAGAIN { return true }
      if count < 0 && clinux_errno() == EINTR { continue }
      guard count >= 0 else { return false }
      if count == bytes.count { bytes = [] } else { bytes.removeFirst(count) }
    }
    return true
  }

  /// Does what its other side asks for while this one writes. False when that has gone.
  func tend() -> Bool { true }

  /// All is written. Who has to be told stays open until that is known to have arrived.
  func finish() { close() }

  final func close() {
    if isOpen && !isShared { _ = CLinux.close(descriptor) }
    descriptor = -1
  }
}
