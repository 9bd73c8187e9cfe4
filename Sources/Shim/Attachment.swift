import CLinux

/// Where one stream of a container goes besides its log: the writing end of a client's pipe. It may lag behind, and then loses output; neither
/// the container nor its log waits for it.
struct Sink {
  /// Once for a reader that kept up so far: it may only have been without a processor.
  private static let patience: Int32 = 20

  private(set) var fd: Int32
  /// Since the reader began to lag; 0 for one that does not.
  private(set) var dropped: UInt64 = 0

  init(_ fd: Int32) { self.fd = fd }

  var isOpen: Bool { fd >= 0 }

  mutating func close() {
    guard isOpen else { return }
    if dropped > 0 { _ = confess() }
    _ = CLinux.close(fd)
    fd = -1
  }

  mutating func send(_ bytes: UnsafeBufferPointer<UInt8>) {
    if dropped > 0 { catchUp() }
    guard isOpen, let base = bytes.baseAddress, dropped == 0 else { return drop(bytes.count) }
    var done = 0
    while done < bytes.count {
      let count = write(fd, base + done, bytes.count - done)
      if count > 0 { done += count }
      if count < 0 && clinux_errno() == EAGAIN && !isWritable(within: Self.patience) { return drop(bytes.count - done) }
      if count < 0 && clinux_errno() != EAGAIN && clinux_errno() != EINTR { return abandon() }
    }
  }

  private mutating func drop(_ count: Int) { if isOpen { dropped += UInt64(count) } }

  /// The reader is gone.
  mutating func abandon() {
    dropped = 0
    close()
  }

  /// A lagging reader goes on once it has read everything before.
  mutating func catchUp() {
    guard isOpen, dropped > 0, shim_unread(fd) == 0, confess() else { return }
    dropped = 0
  }

  /// Short enough to be written at once or not at all.
  private func confess() -> Bool {
    let notice = "\r\n[berth: " + Bytes(decimal: Int64(truncatingIfNeeded: dropped)) + " bytes left out: the reader is too slow]\r\n"
    return write(fd, notice, notice.count) == notice.count
  }

  private func isWritable(within milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
    return poll(&entry, 1, milliseconds) > 0
  }
}

/// One client that looks at a container and may type into its terminal. Belongs to the log thread.
final class Attachment {
  private static let chunk = 4096

  let tail: Int
  var output = Sink(-1)
  var error = Sink(-1)
  /// What is typed; -1 for none.
  var input: Int32 = -1
  /// Typed, but not yet taken by the terminal.
  private var keys = Bytes()
  /// Its places among what is waited for; nowhere before the next wait.
  private var slots = (Int.max, Int.max, Int.max)

  init(tail: Int) { self.tail = tail }

  deinit {
    output.close()
    error.close()
    closeInput()
  }

  var isOver: Bool { !output.isOpen && !error.isOpen && input < 0 }
  var isLagging: Bool { output.dropped > 0 || error.dropped > 0 }

  func send(_ bytes: UnsafeBufferPointer<UInt8>, _ stream: LogStream) {
    switch stream {
    case .stdout: output.send(bytes)
    case .stderr: error.send(bytes)
    }
  }

  func close(_ stream: LogStream) {
    switch stream {
    case .stdout: output.close()
    case .stderr: error.close()
    }
  }

  /// Output is watched for its reader's end only, which is always told; a full terminal for room.
  func join(_ polls: inout PollSet, terminal: Int32) {
    slots.0 = polls.add(output.fd, 0)
    slots.1 = polls.add(error.fd, 0)
    slots.2 = keys.isEmpty ? polls.add(input, POLLIN) : polls.add(terminal, POLLOUT)
  }

  func serve(_ polls: PollSet, terminal: Int32) {
    if polls.isReady(slots.0) { output.abandon() }
    if polls.isReady(slots.1) { error.abandon() }
    if isLagging {
      output.catchUp()
      error.catchUp()
    }
    guard polls.isReady(slots.2), input >= 0 else { return }
    if keys.isEmpty {
      let count = Files.appendChunk(input, &keys, size: Self.chunk)
      if count == 0 || (count < 0 && clinux_errno() != EAGAIN && clinux_errno() != EINTR) { closeInput() }
    }
    type(terminal)
  }

  private func type(_ terminal: Int32) {
    guard !keys.isEmpty, terminal >= 0 else { return keys = [] }
    let count = write(terminal, keys, keys.count)
    if count > 0 { keys.removeFirst(count) }
    if count < 0 && clinux_errno() != EAGAIN && clinux_errno() != EINTR { keys = [] }
  }

  private func closeInput() {
    if input >= 0 { _ = CLinux.close(input) }
    input = -1
  }
}
