import CLinux

/// The main thread's side of a container's log thread.
final class ContainerLog {
  private let loop: EventLoop
  /// -1 once the thread has ended.
  private var control: Int32
  private var isDrained = false
  let counts = LogCounts()
  private(set) var droppedBytes: UInt64 = 0
  /// Called when `droppedBytes` has grown.
  var lost: () -> Void = {}
  private var reopening: [(Int32) -> Void] = []
  private var draining: [() -> Void] = []

  /// Takes over both descriptors, also where it fails. Reading begins with `release`.
  init?(loop: EventLoop, path: Bytes, limit: Int, output: Int32, error: Int32) {
    var ends: (Int32, Int32) = (-1, -1)
    let made = withUnsafeMutableBytes(of: &ends) { shim_packet_pair($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
    self.loop = loop
    control = ends.0
    if made == 0 && LogPump.start(path: path, limit: limit, counts: counts, output: output, error: error, control: ends.1) {
      _ = shim_set_nonblocking(control)
      loop.watch(control) { _ in self.listen() }
    } else {
      for fd in [output, error, ends.0, ends.1] where fd >= 0 { close(fd) }
      control = -1
      return nil
    }
  }

  /// `terminal` goes over to the thread; -1 for none.
  func release(terminal: Int32 = -1) { LogMessage(.release, Int64(terminal)).send(to: control) }

  /// False where the log has ended; the attachment is then closed.
  func attach(_ attachment: Attachment) -> Bool {
    guard control >= 0 else { return false }
    let message = LogMessage.attach(attachment)
    if message.send(to: control) { return true }
    _ = LogMessage.attachment(message.value)
    return false
  }

  /// `done` hears an errno value; ESRCH where the log has ended.
  func reopen(_ done: @escaping (Int32) -> Void) {
    guard control >= 0 else { return done(ESRCH) }
    // A thread that is stuck takes no more at some time: what it was not told it will not answer.
    guard LogMessage(.reopen).send(to: control) else { return done(clinux_errno()) }
    reopening.append(done)
  }

  /// Ends the thread within that time. A thread stuck in a dead disk is left to itself; where it takes no more messages, it ends for lack of them.
  func finish(milliseconds: Int64) {
    if control >= 0 && !LogMessage(.finish, milliseconds).send(to: control) { shutdown(control, Int32(SHUT_WR)) }
  }

  /// `done` is called once: when everything is written, or after so long.
  func whenDrained(within milliseconds: Int64, _ done: @escaping () -> Void) {
    guard !isDrained else { return done() }
    var isCalled = false
    let once = {
      if isCalled { return }
      isCalled = true
      done()
    }
    let timer = loop.after(milliseconds: milliseconds, once)
    draining.append {
      self.loop.cancel(timer)
      once()
    }
  }

  private func listen() {
    let mayHearMore = LogMessage.receive(from: control) { message in
      switch message.kind {
      case .reopen: if !reopening.isEmpty { reopening.removeFirst()(Int32(truncatingIfNeeded: message.value)) }
      case .dropped:
        droppedBytes = UInt64(bitPattern: message.value)
        lost()
      case .drained: drained()
      case .release, .finish, .attach: break
      }
    }
    if !mayHearMore { ended() }
  }

  private func drained() {
    isDrained = true
    let waiting = draining
    draining = []
    for done in waiting { done() }
  }

  private func ended() {
    loop.unwatch(control)
    close(control)
    control = -1
    drained()
    let waiting = reopening
    reopening = []
    for done in waiting { done(ESRCH) }
  }
}
