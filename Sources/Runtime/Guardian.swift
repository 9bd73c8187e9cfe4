import CLinux

/// A process that waits for the end of whoever stands for a process of the shim. Those who are killed can pass nothing on: then the guardian has the
/// shim's process killed, too.
struct Guardian {
  private static let patience: Int64 = 5_000
  /// For a shim that is still making what nobody waits for any more: one that answers when it has, and one that knows nothing of it until then.
  private static let lateAnswer: Int64 = 600_000
  private static let ignorance: Int64 = 60_000
  /// Microseconds between two questions.
  private static let pauses: ClosedRange<UInt32> = 250_000...5_000_000

  private enum Word {
    static let released: UInt8 = 1
    static let made: UInt8 = 2
  }

  private let process: TaskProcess
  /// The container's.
  private let directory: Bytes
  private let bundle: Bytes
  private let address: Bytes
  private let version: Int64
  private let streams: Streams

  /// Starts it. The descriptor is held by all who stand for the process; `release` first where all is well.
  static func start(
    of process: TaskProcess, in container: Container, _ record: ContainerRecord, _ client: TaskClient, _ streams: Streams
  ) throws(Failure) -> Int32 {
    var ends: (Int32, Int32) = (-1, -1)
    let made = withUnsafeMutableBytes(of: &ends) { shim_pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
    guard made == 0 else { throw SystemFailure.failure("pipe for", process.id) }
    let guardian = Guardian(
      process: process, directory: container.directory, bundle: record.shim.bundle, address: record.address, version: client.version,
      streams: streams)
    switch foreign_detach(ends.0) {
    case 0: guardian.serve()
    case 1: close(ends.0)
    default: throw SystemFailure.failure("guardian of", process.id)
    }
    return ends.1
  }

  /// The process has ended, or is somebody else's to end.
  static func release(_ descriptor: Int32) {
    _ = Files.writeAll(descriptor, [Word.released])
    close(descriptor)
  }

  /// The shim has it: if it does not know it later on, it has ended.
  static func tellMade(_ descriptor: Int32) { _ = Files.writeAll(descriptor, [Word.made]) }

  private func serve() -> Never {
    var said = Bytes()
    var count = 0
    repeat {
      shim_rest()
      count = Files.appendChunk(3, &said, size: 1)
    } while (count > 0 && said.last != Word.released) || (count < 0 && clinux_errno() == EINTR)
    if said.last != Word.released {
      if said.isEmpty { outlast() } else { try? end() }
      streams.remove()
      // Once nobody knows the container, only its streams were left in it.
      if said.isEmpty { _ = directory.withCString { rmdir($0) } }
    }
    _exit(0)
  }

  /// Who gave up a create has no use for what comes of it. Until then the shim finds the streams' other ends, or would wait for them for ever.
  private func outlast() {
    let ends = streams.openAgain()
    defer { for fd in ends { close(fd) } }
    if let client = try? TaskClient(address, version: version) { removeLate(client) }
  }

  private func end() throws(Failure) {
    let client = try TaskClient(address, version: version)
    try client.call("Kill", process.kill(SIGKILL, all: process.exec.isEmpty), within: Self.patience)
    // A container is its deletion's.
    guard !process.exec.isEmpty else { return }
    try client.call("Wait", process.request, within: Self.patience)
    try client.call("Delete", process.request, within: Self.patience)
  }

  /// What is not there yet is asked for again, as long as there is a shim that could still make it. Shims write into a bundle even when they delete
  /// what it was for: they get that directory again.
  private func removeLate(_ client: TaskClient) {
    let deadline = shim_monotonic() + Self.ignorance * 1_000_000
    var pause = Self.pauses.lowerBound
    var isBorrowed = false
    defer { if isBorrowed { removeBundle() } }
    repeat {
      do throws(Failure) {
        _ = try? client.call("Kill", process.kill(SIGKILL, all: process.exec.isEmpty), within: Self.lateAnswer)
        try client.call("Delete", process.request, within: Self.lateAnswer)
        return
      } catch {
        if error.code != .notFound && bundle.withCString({ mkdir($0, 0o700) }) == 0 { isBorrowed = true }
      }
      usleep(pause)
      pause = min(2 * pause, Self.pauses.upperBound)
    } while !client.isLost && !client.isDeaf && shim_monotonic() < deadline
  }

  private func removeBundle() {
    for name in Files.names(bundle) { Files.remove(bundle + "/" + name) }
    _ = bundle.withCString { rmdir($0) }
  }
}
