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

  /// Nil when there is none, or the other side is gone.
  init?(from fd: Int32) {
    var words: (Int64, Int64) = (0, 0)
    guard withUnsafeMutableBytes(of: &words, { read(fd, $0.baseAddress, $0.count) }) == 16 else { return nil }
    guard let kind = Kind(rawValue: words.0) else { return nil }
    self.init(kind, words.1)
  }

  func send(to fd: Int32) {
    var words = (kind.rawValue, value)
    _ = withUnsafeBytes(of: &words) { write(fd, $0.baseAddress, $0.count) }
  }
}

/// One container's log thread: reads its pipes, writes its log. A slow disk stops only this container's output.
/// Everything in it belongs to the thread; the main thread speaks to it through `control`.
final class LogPump {
  private static let chunk = 64 << 10
  /// Memory is given back after that long without output.
  private static let restAfter: Int32 = 1000
  /// When finishing, that long without output counts as the end.
  private static let quiet: Int32 = 50

  private let control: Int32
  private var outputs: (Int32, Int32)
  private var lines: (LogLines, LogLines) = (LogLines(.stdout), LogLines(.stderr))
  private var file: LogFile
  private var clock = LogClock()
  private let buffer: UnsafeMutableRawPointer?
  private var isReleased = false
  private var isDrained = false
  private var isDirty = false
  private var deadline: Int64?
  private var toldDropped: UInt64 = 0

  /// Takes over the descriptors. `path` is opened by the thread.
  static func start(path: Bytes, output: Int32, error: Int32, control: Int32) -> Bool {
    let start = Unmanaged.passRetained(Start(path: path, output: output, error: error, control: control))
    let result = shim_thread({ LogPump(Unmanaged<Start>.fromOpaque($0!).takeRetainedValue()).run() }, start.toOpaque())
    if result != 0 { start.release() }
    return result == 0
  }

  private final class Start {
    let path: Bytes
    let output: Int32
    let error: Int32
    let control: Int32

    init(path: Bytes, output: Int32, error: Int32, control: Int32) {
      self.path = path
      self.output = output
      self.error = error
      self.control = control
    }
  }

  private init(_ start: Start) {
    control = start.control
    outputs = (start.output, start.error)
    file = LogFile(path: start.path)
    buffer = shim_pages(Self.chunk)
  }

  private func run() {
    while step() {}
    closeOutputs()
    finishLines()
    if let buffer { shim_unmap_pages(buffer, Self.chunk) }
    close(control)
  }

  /// Whether to go on. With all streams at their end it stays for log rotation.
  private func step() -> Bool {
    if isReleased && !isDrained && outputs.0 < 0 && outputs.1 < 0 { finishLines() }
    if isDrained && deadline != nil { return false }
    let ready = wait()
    if ready < 0 { return false }
    if ready == 0 {
      if deadline != nil { return false }
      rest()
    }
    if ready & 1 != 0 { outputs.0 = pump(outputs.0, &lines.0) }
    if ready & 2 != 0 { outputs.1 = pump(outputs.1, &lines.1) }
    tellDropped()
    return ready & 4 == 0 || obey()
  }

  private func wait() -> Int32 {
    var timeout: Int32 = isDirty ? Self.restAfter : -1
    if let deadline {
      let left = (deadline - shim_monotonic()) / 1_000_000
      if left <= 0 { return -1 }
      timeout = min(Self.quiet, Int32(left))
    }
    let fds = [isReleased ? outputs.0 : -1, isReleased ? outputs.1 : -1, control]
    return fds.withUnsafeBufferPointer { shim_poll_three($0.baseAddress, timeout) }
  }

  private func obey() -> Bool {
    guard let message = LogMessage(from: control) else { return false }
    switch message.kind {
    case .release:
      isReleased = true
      if message.value >= 0 { outputs.0 = Int32(message.value) }
    case .reopen: LogMessage(.reopen, Int64(file.open())).send(to: control)
    case .finish: deadline = shim_monotonic() + message.value * 1_000_000
    case .drained, .dropped: break
    }
    return true
  }

  /// One read and its records. The descriptor, or -1 once it has ended and is closed; a terminal ends with EIO.
  private func pump(_ fd: Int32, _ lines: inout LogLines) -> Int32 {
    guard let buffer else { return -1 }
    let count = read(fd, buffer, Self.chunk)
    if count < 0 && (clinux_errno() == EINTR || clinux_errno() == EAGAIN) { return fd }
    guard count > 0 else {
      close(fd)
      return -1
    }
    isDirty = true
    let prefix = self.prefix(lines.stream)
    let bytes = UnsafeBufferPointer(start: buffer.assumingMemoryBound(to: UInt8.self), count: count)
    lines.take(bytes) { tag, content in file.append(prefix, tag, content) }
    file.flush()
    return fd
  }

  private func prefix(_ stream: LogStream) -> Bytes { clock.timestamp(shim_realtime()) + [32] + Bytes(stream.name) + [32] }

  private func finishLines() {
    guard !isDrained else { return }
    isDrained = true
    let prefixes = (prefix(.stdout), prefix(.stderr))
    lines.0.finish { tag, content in file.append(prefixes.0, tag, content) }
    lines.1.finish { tag, content in file.append(prefixes.1, tag, content) }
    file.flush()
    tellDropped()
    LogMessage(.drained).send(to: control)
  }

  private func closeOutputs() {
    if outputs.0 >= 0 { close(outputs.0) }
    if outputs.1 >= 0 { close(outputs.1) }
  }

  private func tellDropped() {
    guard file.dropped != toldDropped else { return }
    toldDropped = file.dropped
    LogMessage(.dropped, Int64(truncatingIfNeeded: toldDropped)).send(to: control)
  }

  private func rest() {
    isDirty = false
    file.rest()
    if let buffer { shim_release_pages(buffer, Self.chunk) }
  }
}
