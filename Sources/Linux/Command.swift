import CLinux
import Synchronization

/// Runs a program to its end: bytes in, bounded bytes out, a deadline. For CNI plugins, `runc delete` and the like.
package enum Command {
  /// What came of it. A program that could not be started at all throws instead.
  package struct Output: Sendable {
    package enum Ending: Sendable, Hashable {
      case exited(Int32)
      case signalled(Int32)
      /// The deadline came; the program's whole process group was killed.
      case timedOut
    }
    package var ending: Ending
    package var stdout: [UInt8]
    package var stderr: [UInt8]
    /// More was written to one of the two than the limit; the rest was read and dropped.
    package var truncated: Bool

    package var succeeded: Bool { ending == .exited(0) }
    /// stderr as text on one line, for a message.
    package var errorText: String {
      String(decoding: stderr, as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: "; ")
    }
  }

  /// Starts `path` (not looked up in PATH) in a session of its own with exactly `environment` (`NAME=value`), feeds it `input`, and collects
  /// up to `outputLimit` bytes of stdout and of stderr each. At `timeout`, and when the calling task is cancelled, its process group gets SIGKILL; one that
  /// the kernel does not let die (it waits for a dead disk or server) is given up a little later.
  /// What it left running in the background keeps running, but is not waited for.
  ///
  /// Throws ``SystemError`` (`execve PATH: …`) where it cannot be started, CancellationError when cancelled.
  package static func run(
    _ path: String, _ arguments: [String] = [], environment: [String] = [], directory: String? = nil, input: [UInt8] = [],
    timeout: Duration, outputLimit: Int = 1 << 20
  ) async throws -> Output {
    try Task.checkCancellation()
    let running = RunningCommand(input: input, deadline: ContinuousClock.now + timeout, outputLimit: outputLimit)
    let output = try await withTaskCancellationHandler {
      try await BlockingWork.run {
        try running.run(path, arguments, environment, directory)
      }
    } onCancel: {
      running.cancel()
    }
    try Task.checkCancellation()
    return output
  }
}

/// One command on its blocking thread. Only `group` is touched by others (to cancel it).
private final class RunningCommand: Sendable {
  private let input: [UInt8]
  private let deadline: ContinuousClock.Instant
  private let outputLimit: Int
  /// Kill by group number is safe only while the leader is not reaped.
  private let group = Mutex<Group>(.notStarted)

  private enum Group {
    case notStarted
    case running(Int32)
    case cancelled
    /// Cancelled while it ran, and killed.
    case dying
    case over
  }

  /// How long output is still read after the program itself has ended (a background child may hold the pipe open for ever).
  private static let drainTime = Duration.milliseconds(500)

  /// How long SIGKILL may take.
  private static let deathTime: Int32 = 2000

  init(input: [UInt8], deadline: ContinuousClock.Instant, outputLimit: Int) {
    self.input = input
    self.deadline = deadline
    self.outputLimit = outputLimit
  }

  func cancel() {
    group.withLock { group in
      switch group {
      case .running(let leader):
        kill(-leader, SIGKILL)
        group = .dying
      case .notStarted: group = .cancelled
      case .cancelled, .dying, .over: break
      }
    }
  }

  func run(_ path: String, _ arguments: [String], _ environment: [String], _ directory: String?) throws(SystemError) -> Command.Output {
    let stdin = try Pipe()
    let stdout = try Pipe()
    let stderr = try Pipe()
    var plan = Spawn(path, arguments, descriptors: [stdin.reading.raw, stdout.writing.raw, stderr.writing.raw])
    plan.environment = environment
    plan.directory = directory
    let process = try start(plan)
    var exchange = Exchange(
      input: input, stdin: stdin.keepWriting(), stdout: stdout.keepReading(), stderr: stderr.keepReading(), limit: outputLimit)
    let inTime = exchange.run(until: deadline, process) { isDying }
    if !inTime { kill(-process.pid, SIGKILL) }
    guard inTime || process.ended(within: Self.deathTime) else {
      abandon(process)
      return exchange.output(.timedOut, .signalled(SIGKILL))
    }
    exchange.drain(until: ContinuousClock.now + Self.drainTime)
    return exchange.output(inTime ? nil : .timedOut, try reap(process))
  }

  private var isDying: Bool {
    group.withLock { if case .dying = $0 { true } else { false } }
  }

  private func start(_ plan: Spawn) throws(SystemError) -> Pidfd {
    let process = try plan.start()
    group.withLock { group in
      guard case .cancelled = group else { return group = .running(process.pid) }
      kill(-process.pid, SIGKILL)
      group = .dying
    }
    return process
  }

  private func abandon(_ process: Pidfd) {
    group.withLock { $0 = .over }
    Task.detached {
      await process.ended()
      _ = try? process.reap()
    }
  }

  private func reap(_ process: Pidfd) throws(SystemError) -> ExitStatus {
    group.withLock { $0 = .over }
    return try process.reap() ?? .signalled(SIGKILL)
  }
}

/// The three pipes of a running command.
private struct Exchange: ~Copyable {
  private var input: ArraySlice<UInt8>
  private var stdin: FileHandle?
  private var stdout: Capture
  private var stderr: Capture

  init(input: [UInt8], stdin: consuming FileHandle, stdout: consuming FileHandle, stderr: consuming FileHandle, limit: Int) {
    self.input = input[...]
    if input.isEmpty { self.stdin = nil } else { self.stdin = consume stdin }
    self.stdout = Capture(stdout, limit)
    self.stderr = Capture(stderr, limit)
  }

  /// How often is looked whether anybody still wants the program to end.
  private static let turn = Duration.seconds(1)

  /// Until the process has ended: true; false at the deadline, and soon after it was killed.
  mutating func run(until deadline: ContinuousClock.Instant, _ process: borrowing Pidfd, isDying: () -> Bool) -> Bool {
    while true {
      guard let ended = poll(until: min(deadline, ContinuousClock.now + Self.turn), and: process.descriptor) else { return false }
      if ended { return true }
      if isDying() { return false }
    }
  }

  /// What is still in the pipes, until their end or the deadline.
  mutating func drain(until deadline: ContinuousClock.Instant) {
    stdin = nil
    while stdout.isOpen || stderr.isOpen {
      if poll(until: deadline, and: -1) == nil { return }
    }
  }

  consuming func output(_ ending: Command.Output.Ending?, _ status: ExitStatus) -> Command.Output {
    let truncated = stdout.dropped || stderr.dropped
    let natural: Command.Output.Ending =
      switch status {
      case .exited(let code): .exited(code)
      case .signalled(let signal): .signalled(signal)
      }
    return Command.Output(ending: ending ?? natural, stdout: stdout.bytes, stderr: stderr.bytes, truncated: truncated)
  }

  /// Moves what can be moved. Nil at the deadline, true when `watched` is readable.
  private mutating func poll(until deadline: ContinuousClock.Instant, and watched: Int32) -> Bool? {
    let left = ContinuousClock.now.duration(to: deadline)
    if left <= .zero { return nil }
    let milliseconds = Int32(clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
    var entries = [
      pollfd(fd: watched, events: Int16(POLLIN), revents: 0),
      pollfd(fd: stdin?.raw ?? -1, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: stdout.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: stderr.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    guard CLinux.poll(&entries, nfds_t(entries.count), milliseconds) > 0 else { return false }
    if entries[1].revents != 0 { feed() }
    if entries[2].revents != 0 { stdout.read() }
    if entries[3].revents != 0 { stderr.read() }
    return entries[0].revents != 0
  }

  /// A program that does not read its input (EPIPE) is not an error.
  private mutating func feed() {
    guard let descriptor = stdin?.raw else { return }
    let count = input.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count > 0 { input = input.dropFirst(count) }
    if input.isEmpty || (count < 0 && clinux_errno() != EAGAIN && clinux_errno() != EINTR) { stdin = nil }
  }
}

/// One output pipe: the first `limit` bytes are kept.
private struct Capture: ~Copyable {
  private(set) var bytes: [UInt8] = []
  private(set) var dropped = false
  /// -1 once the pipe has ended.
  private(set) var descriptor: Int32
  private var pipe: FileHandle?
  private let limit: Int

  init(_ pipe: consuming FileHandle, _ limit: Int) {
    descriptor = pipe.raw
    self.pipe = consume pipe
    self.limit = limit
  }

  var isOpen: Bool { descriptor >= 0 }

  mutating func read() {
    let (count, failed) = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32 << 10) { chunk in
      let count = CLinux.read(descriptor, chunk.baseAddress, chunk.count)
      if count > 0 {
        let kept = min(count, max(0, limit - bytes.count))
        bytes.append(contentsOf: chunk[..<kept])
        if kept < count { dropped = true }
      }
      return (count, count < 0 && clinux_errno() != EAGAIN && clinux_errno() != EINTR)
    }
    if count == 0 || failed {
      pipe = nil
      descriptor = -1
    }
  }
}

/// A pipe whose ends are non-blocking on our side only.
private struct Pipe: ~Copyable {
  let reading: FileHandle
  let writing: FileHandle

  init() throws(SystemError) {
    var ends: (Int32, Int32) = (-1, -1)
    try check("pipe2") {
      withUnsafeMutableBytes(of: &ends) { pipe2($0.assumingMemoryBound(to: Int32.self).baseAddress, Int32(O_CLOEXEC)) }
    }
    reading = FileHandle(owning: ends.0)
    writing = FileHandle(owning: ends.1)
  }

  consuming func keepReading() -> FileHandle { Self.nonBlocking(reading) }
  consuming func keepWriting() -> FileHandle { Self.nonBlocking(writing) }

  private static func nonBlocking(_ end: consuming FileHandle) -> FileHandle {
    _ = clinux_fcntl_int(end.raw, F_SETFL, O_NONBLOCK)
    return end
  }
}
