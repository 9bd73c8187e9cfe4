import CLinux

/// One run of a shim's binary to its end. It dies with this process; what it leaves running may hold its streams open.
final class ShimCommand {
  struct Outcome {
    var code: Int32 = 255
    var output = Bytes()
    var error = Bytes()

    var succeeded: Bool { code == 0 }

    /// `exit code 1: its words`
    var description: Bytes {
      let words = Bytes((error.isEmpty ? output : error).suffix(2048)).filter { $0 != 10 }
      let end = code > 128 ? "killed by signal " + Bytes(decimal: code - 128) : "exit code " + Bytes(decimal: code)
      return end + (words.isEmpty ? [] : ": " + words)
    }
  }

  private static let outputLimit = 1 << 20

  private let words: [Bytes]
  private let directory: Bytes
  private var pipes: [(Int32, Int32)] = []

  init(_ words: [Bytes], directory: Bytes) {
    self.words = words
    self.directory = directory
  }

  deinit { for (one, other) in pipes { closeIfOpen([one, other]) } }

  func run(_ input: Bytes, within milliseconds: Int64) throws(Failure) -> Outcome {
    for _ in 0..<3 { pipes.append(try makePipe()) }
    _ = Files.writeAll(pipes[0].1, input)
    var pidfd: Int32 = -1
    let pid = withCStrings(words.map(Optional.some) + [nil, directory]) { strings in
      var program = foreign_program()
      (program.argv, program.directory) = (strings, strings[words.count + 1])
      (program.input, program.output, program.error) = (pipes[0].0, pipes[1].1, pipes[2].1)
      return foreign_run(&program, &pidfd)
    }
    guard pid > 0 else { throw SystemFailure.failure("starting", words[0]) }
    defer { close(pidfd) }
    closeIfOpen([pipes[0].0, pipes[0].1, pipes[1].1, pipes[2].1])
    (pipes[0], pipes[1].1, pipes[2].1) = ((-1, -1), -1, -1)
    return try collect(pidfd, until: shim_monotonic() + milliseconds * 1_000_000)
  }

  private func collect(_ pidfd: Int32, until deadline: Int64) throws(Failure) -> Outcome {
    var outcome = Outcome()
    var polls = PollSet()
    while shim_reap(pidfd, &outcome.code) == 0 {
      let left = (deadline - shim_monotonic()) / 1_000_000
      if left <= 0 {
        _ = clinux_pidfd_send_signal(pidfd, SIGKILL)
        throw Failure(.internal, "it did not end in time and was killed")
      }
      polls.clear()
      _ = polls.add(pidfd, POLLIN)
      for end in 1...2 { _ = polls.add(pipes[end].0, POLLIN) }
      _ = polls.wait(Int32(min(left, 60_000)))
      take(&outcome)
    }
    take(&outcome)
    return outcome
  }

  private func take(_ outcome: inout Outcome) {
    read(1, &outcome.output)
    read(2, &outcome.error)
  }

  /// What is there now. An end is closed, so that nobody waits for it again.
  private func read(_ place: Int, _ content: inout Bytes) {
    while pipes[place].0 >= 0 {
      let count = Files.appendChunk(pipes[place].0, &content)
      if content.count > Self.outputLimit { content.removeFirst(content.count - Self.outputLimit) }
      if count < 0 && (clinux_errno() == EAGAIN || clinux_errno() == EINTR) { return }
      guard count > 0 else {
        close(pipes[place].0)
        return pipes[place].0 = -1
      }
    }
  }

  private func makePipe() throws(Failure) -> (Int32, Int32) {
    var ends: (Int32, Int32) = (-1, -1)
    let made = withUnsafeMutableBytes(of: &ends) { shim_pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
    guard made == 0 else { throw SystemFailure.failure("pipe for", words[0]) }
    if pipes.count > 0 { _ = shim_set_nonblocking(ends.0) }
    return ends
  }

  private func closeIfOpen(_ descriptors: [Int32]) { for fd in descriptors where fd >= 0 { close(fd) } }
}
