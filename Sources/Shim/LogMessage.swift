import CLinux

/// What passes between the main thread and a log thread, one packet each.
struct LogMessage {
  enum Kind: Int64 {
    /// To the thread: begin reading; the value is the terminal's descriptor or -1.
    case release = 1
    /// To the thread: open the log path anew. Back: the errno value of that.
    case reopen
    /// To the thread: end within so many milliseconds.
    case finish
    /// To the thread: the value is a retained `Attachment`.
    case attach
    /// Back: all streams have ended and are written.
    case drained
    /// Back: bytes dropped so far.
    case dropped
  }

  let kind: Kind
  let value: Int64

  init(_ kind: Kind, _ value: Int64 = 0) {
    self.kind = kind
    self.value = value
  }

  /// All there are now. Whether more may come: false once the other side is gone or said its last.
  static func receive(from fd: Int32, _ body: (LogMessage) -> Void) -> Bool {
    while true {
      var words: (Int64, Int64) = (0, 0)
      let count = withUnsafeMutableBytes(of: &words) { recv(fd, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
      guard count == 16, let kind = Kind(rawValue: words.0) else { return count != 0 }
      body(LogMessage(kind, words.1))
    }
  }

  /// Whether it was taken.
  @discardableResult
  func send(to fd: Int32) -> Bool {
    var words = (kind.rawValue, value)
    return withUnsafeBytes(of: &words) { write(fd, $0.baseAddress, $0.count) } == 16
  }

  static func attach(_ attachment: Attachment) -> LogMessage {
    LogMessage(.attach, Int64(Int(bitPattern: Unmanaged.passRetained(attachment).toOpaque())))
  }

  /// Once for every message.
  static func attachment(_ value: Int64) -> Attachment {
    Unmanaged<Attachment>.fromOpaque(UnsafeRawPointer(bitPattern: Int(value))!).takeRetainedValue()
  }
}
