import CLinux

/// One container's log thread: reads its pipes, writes its log. A slow disk stops only this container's output.
/// Everything in it belongs to the thread; the main thread speaks to it through `control`.
final class LogPump {
  private static let chunk = 64 << 10
  /// Memory is given back after that long without output.
  private static let restAfter: Int32 = 1000
  /// When finishing, that long without output counts as the end.
  private static let quiet: Int32 = 50
  /// How often a lagging reader is looked after.
  private static let lag: Int32 = 100

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
  private var attachments: [Attachment] = []
  private var polls = PollSet()
  private var terminal: Int32 = -1

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
    refuseAttachments()
    if let buffer { shim_unmap_pages(buffer, Self.chunk) }
    close(control)
  }

  /// Whether to go on. With all streams at their end it stays for log rotation.
  private func step() -> Bool {
    if isReleased && !isDrained && outputs.0 < 0 && outputs.1 < 0 { finishLines() }
    if isDrained && deadline != nil { return false }
    guard let timeout else { return false }
    join()
    let ready = polls.wait(timeout)
    if ready < 0 { return clinux_errno() == EINTR }
    if ready == 0 {
      if deadline != nil { return false }
      if !isLagging { rest() }
    }
    if polls.isReady(1) { outputs.0 = pump(outputs.0, &lines.0) }
    if polls.isReady(2) { outputs.1 = pump(outputs.1, &lines.1) }
    serveAttachments()
    tellDropped()
    return !polls.isReady(0) || obey()
  }

  private func join() {
    polls.clear()
    _ = polls.add(control, POLLIN)
    _ = polls.add(isReleased ? outputs.0 : -1, POLLIN)
    _ = polls.add(isReleased ? outputs.1 : -1, POLLIN)
    for attachment in attachments { attachment.join(&polls, terminal: terminal) }
  }

  private var isLagging: Bool { attachments.contains { $0.isLagging } }

  /// Nil when the time to finish is over.
  private var timeout: Int32? {
    if let deadline {
      let left = (deadline - shim_monotonic()) / 1_000_000
      return left <= 0 ? nil : min(Self.quiet, Int32(left))
    }
    return isLagging ? Self.lag : isDirty ? Self.restAfter : -1
  }

  private func serveAttachments() {
    guard !attachments.isEmpty else { return }
    for attachment in attachments { attachment.serve(polls, terminal: terminal) }
    attachments.removeAll { $0.isOver }
  }

  /// What was said is shown first, including a line not yet ended.
  private func attach(_ attachment: Attachment) {
    let wanted = { (stream: LogStream) in stream == .stdout ? attachment.output.isOpen : attachment.error.isOpen }
    LogTail(file.path, count: attachment.tail, wanted: wanted).forEach { attachment.send($1, $0) }
    if attachment.tail > 0 {
      lines.0.withPending { attachment.send($0, .stdout) }
      lines.1.withPending { attachment.send($0, .stderr) }
    }
    if outputs.0 < 0 { attachment.close(.stdout) }
    if outputs.1 < 0 { attachment.close(.stderr) }
    attachments.append(attachment)
  }

  /// Sent while the thread was ending.
  private func refuseAttachments() {
    attachments = []
    shutdown(control, Int32(SHUT_RD))
    while let message = LogMessage(from: control) {
      if case .attach = message.kind { _ = LogMessage.attachment(message.value) }
    }
  }

  private func obey() -> Bool {
    guard let message = LogMessage(from: control) else { return false }
    switch message.kind {
    case .release:
      isReleased = true
      if message.value >= 0 {
        terminal = Int32(message.value)
        outputs.0 = terminal
      }
    case .reopen: LogMessage(.reopen, Int64(file.open())).send(to: control)
    case .attach: attach(LogMessage.attachment(message.value))
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
      if fd == terminal { terminal = -1 }
      for attachment in attachments { attachment.close(lines.stream) }
      return -1
    }
    isDirty = true
    let prefix = self.prefix(lines.stream)
    let bytes = UnsafeBufferPointer(start: buffer.assumingMemoryBound(to: UInt8.self), count: count)
    lines.take(bytes) { tag, content in file.append(prefix, tag, content) }
    file.flush()
    for attachment in attachments { attachment.send(bytes, lines.stream) }
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
