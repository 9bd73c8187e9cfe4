import CLinux

/// One container's log thread: reads its pipes, writes its log. A slow disk stops only this container's output.
/// Everything in it belongs to the thread; the main thread speaks to it through `control`.
final class LogPump {
  private static let chunk = 128 << 10
  /// A stream that has just been read gets so long (ms) to say more: whoever writes line by line costs a read and a write a millisecond, not a line.
  private static let gathering: Int32 = 1
  /// A rotation waits so long for the end of a line whose first pieces are written.
  private static let lineGrace: Int64 = 200_000_000
  /// Memory is given back after that long without output.
  private static let restAfter: Int32 = 1000
  /// When finishing, that long without output counts as the end.
  private static let quiet: Int32 = 50
  /// What a thread that was not told when to finish has left to do so.
  private static let grace: Int64 = 500_000_000
  /// How often a lagging reader is looked after.
  private static let lag: Int32 = 100

  private let control: Int32
  private var outputs: (Int32, Int32)
  private var lines: (LogLines, LogLines)
  private var file: LogFile
  private let buffer: UnsafeMutableRawPointer?
  /// The main thread says nothing more.
  private var isAlone = false
  private var isReleased = false
  private var isDrained = false
  private var isDirty = false
  private var isGathering = false
  /// Rotations not yet answered, and until when they may wait.
  private var reopening: (count: Int, until: Int64) = (0, 0)
  private var deadline: Int64?
  private var toldDropped: UInt64 = 0
  private var attachments: [Attachment] = []
  private var polls = PollSet()
  private var terminal: Int32 = -1

  /// Takes over the descriptors. `path` is opened by the thread.
  static func start(path: Bytes, limit: Int, counts: LogCounts, output: Int32, error: Int32, control: Int32) -> Bool {
    let start = Unmanaged.passRetained(Start(path: path, limit: limit, counts: counts, output: output, error: error, control: control))
    let result = shim_thread({ LogPump(Unmanaged<Start>.fromOpaque($0!).takeRetainedValue()).run() }, start.toOpaque())
    if result != 0 { start.release() }
    return result == 0
  }

  private final class Start {
    let path: Bytes
    let limit: Int
    let counts: LogCounts
    let output: Int32
    let error: Int32
    let control: Int32

    init(path: Bytes, limit: Int, counts: LogCounts, output: Int32, error: Int32, control: Int32) {
      self.path = path
      self.limit = limit
      self.counts = counts
      self.output = output
      self.error = error
      self.control = control
    }
  }

  private init(_ start: Start) {
    control = start.control
    outputs = (start.output, start.error)
    lines = (LogLines(limit: start.limit), LogLines(limit: start.limit))
    file = LogFile(path: start.path, counts: start.counts)
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
    let ready = polls.wait(isGathering ? Self.gathering : timeout)
    if ready < 0 { return clinux_errno() == EINTR }
    if ready == 0 && !isGathering { if isQuiet() { return false } }
    isGathering = false
    if polls.isReady(1) { outputs.0 = pump(outputs.0, .stdout) }
    if polls.isReady(2) { outputs.1 = pump(outputs.1, .stderr) }
    serveAttachments()
    tellDropped()
    rotate()
    if polls.isReady(0) { obey() }
    return true
  }

  /// Whether that is the end.
  private func isQuiet() -> Bool {
    if deadline != nil { return true }
    if !isLagging && reopening.count == 0 { rest() }
    return false
  }

  private func join() {
    polls.clear()
    _ = polls.add(isAlone ? -1 : control, POLLIN)
    let isListening = isReleased && !isGathering
    _ = polls.add(isListening ? outputs.0 : -1, POLLIN)
    _ = polls.add(isListening ? outputs.1 : -1, POLLIN)
    for attachment in attachments { attachment.join(&polls, terminal: terminal) }
  }

  private var isLagging: Bool { attachments.contains { $0.isLagging } }

  /// Nil when the time to finish is over.
  private var timeout: Int32? {
    if let deadline {
      let left = (deadline - shim_monotonic()) / 1_000_000
      return left <= 0 ? nil : min(Self.quiet, Int32(left))
    }
    if reopening.count > 0 { return Int32(max((reopening.until - shim_monotonic()) / 1_000_000, 0)) }
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
    _ = LogMessage.receive(from: control) { if case .attach = $0.kind { _ = LogMessage.attachment($0.value) } }
  }

  private func obey() {
    if LogMessage.receive(from: control, obey) || isAlone { return }
    isAlone = true
    deadline = deadline ?? shim_monotonic() + Self.grace
  }

  private func obey(_ message: LogMessage) {
    switch message.kind {
    case .release:
      isReleased = true
      if message.value >= 0 {
        terminal = Int32(message.value)
        outputs.0 = terminal
      }
    case .reopen:
      if reopening.count == 0 { reopening.until = shim_monotonic() + Self.lineGrace }
      reopening.count += 1
      rotate()
    case .attach: attach(LogMessage.attachment(message.value))
    case .finish: deadline = shim_monotonic() + message.value * 1_000_000
    case .drained, .dropped: break
    }
  }

  /// One read and its records. The descriptor, or -1 once it has ended and is closed; a terminal ends with EIO.
  private func pump(_ fd: Int32, _ stream: LogStream) -> Int32 {
    guard let buffer else { return -1 }
    let count = read(fd, buffer, Self.chunk)
    if count < 0 && (clinux_errno() == EINTR || clinux_errno() == EAGAIN) { return fd }
    guard count > 0 else {
      close(fd)
      if fd == terminal { terminal = -1 }
      for attachment in attachments { attachment.close(stream) }
      return -1
    }
    isDirty = true
    // A terminal holds no more than a page: it is read at once.
    isGathering = isGathering || (count < Self.chunk && fd != terminal)
    // An attach was answered before its client could cause any of this: it is to see it.
    obey()
    take(UnsafeBufferPointer(start: buffer.assumingMemoryBound(to: UInt8.self), count: count), stream)
    return fd
  }

  private func take(_ bytes: UnsafeBufferPointer<UInt8>, _ stream: LogStream) {
    let now = shim_realtime()
    file.counts.bytesIn.grow(bytes.count)
    file.care(shim_monotonic())
    file.stamp(stream, now)
    switch stream {
    case .stdout: lines.0.take(bytes, to: &file)
    case .stderr: lines.1.take(bytes, to: &file)
    }
    file.flush()
    for attachment in attachments { attachment.send(bytes, stream) }
  }

  /// No line has pieces in two files, unless it takes too long to end.
  private func rotate() {
    guard reopening.count > 0 else { return }
    if (lines.0.isInLine || lines.1.isInLine) && !isDrained && shim_monotonic() < reopening.until { return }
    let error = file.open()
    for _ in 0..<reopening.count { LogMessage(.reopen, Int64(error)).send(to: control) }
    reopening.count = 0
  }

  private func finishLines() {
    guard !isDrained else { return }
    isDrained = true
    file.stamp(.stdout, shim_realtime())
    lines.0.finish(to: &file)
    file.stamp(.stderr, shim_realtime())
    lines.1.finish(to: &file)
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
    shim_rest()
  }
}
