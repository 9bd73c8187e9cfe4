import CLinux

/// One client's socket: frames in, frames out. It may vanish at any time; what it began goes on.
final class Connection {
  /// Unread answers beyond this end the connection.
  private static let outputLimit = 64 << 20

  let fd: Int32
  /// Never used again, unlike the descriptor's number.
  let serial: Int
  private var input = Bytes()
  private var output = Bytes()
  private var sent = 0
  /// Bytes of a frame over the limit that are still to be read past.
  private var excess = 0

  init(fd: Int32, serial: Int) {
    self.fd = fd
    self.serial = serial
  }

  /// What reading brought.
  enum Event {
    case frame(TtrpcHeader, Bytes)
    case oversized(TtrpcHeader)
    /// Nothing more for now.
    case waiting
  }

  /// Reads once; then `nextEvent` until it says `waiting`.
  func fill() -> Bool {
    let count = Files.appendChunk(fd, &input, size: 8192)
    return count > 0 || (count < 0 && (clinux_errno() == EAGAIN || clinux_errno() == EINTR))
  }

  func nextEvent() -> Event {
    skipExcess()
    guard excess == 0, input.count >= TtrpcHeader.size else { return .waiting }
    let header = TtrpcHeader(input[0..<TtrpcHeader.size])
    if header.length > TtrpcHeader.limit {
      input.removeFirst(TtrpcHeader.size)
      excess = header.length
      return .oversized(header)
    }
    let end = TtrpcHeader.size + header.length
    guard input.count >= end else { return .waiting }
    let data = Bytes(input[TtrpcHeader.size..<end])
    input = Bytes(input[end...])
    return .frame(header, data)
  }

  private func skipExcess() {
    let count = min(excess, input.count)
    if count > 0 { input.removeFirst(count) }
    excess -= count
  }

  /// Whether the connection is still worth keeping.
  func send(_ frame: Bytes) -> Bool {
    guard output.count - sent + frame.count <= Self.outputLimit else { return false }
    output += frame
    return flush()
  }

  var hasOutput: Bool { sent < output.count }

  func flush() -> Bool {
    while hasOutput {
      let count = output.withUnsafeBytes { CLinux.write(fd, $0.baseAddress! + sent, $0.count - sent) }
      if count < 0 { return clinux_errno() == EAGAIN || clinux_errno() == EINTR }
      sent += count
    }
    output = []
    sent = 0
    return true
  }
}
