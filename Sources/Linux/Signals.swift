import CLinux

/// Signals that a program takes as events instead of dying of them.
package enum Signals {
  package static let interrupt = SIGINT
  package static let terminate = SIGTERM
  package static let hangup = SIGHUP

  /// From now on `signals` no longer end this process: each arrives as an element. One stream a process; it never ends by itself.
  package static func stream(_ signals: [Int32]) throws(SystemError) -> AsyncStream<Int32> {
    let pipe = try check("sigaction") { signals.withUnsafeBufferPointer { clinux_signal_pipe($0.baseAddress, Int32($0.count)) } }
    let (stream, continuation) = AsyncStream<Int32>.makeStream()
    try startReader(Reader(pipe: pipe, continuation: continuation))
    return stream
  }

  /// Ends this process at once, with the status shells show for a signal.
  package static func exit(by number: Int32) -> Never {
    RawTerminal.leave()
    _exit(128 + number)
  }

  private final class Reader: Sendable {
    let pipe: Int32
    let continuation: AsyncStream<Int32>.Continuation

    init(pipe: Int32, continuation: AsyncStream<Int32>.Continuation) {
      self.pipe = pipe
      self.continuation = continuation
    }

    func serve() {
      var byte: UInt8 = 0
      while (try? check("read") { read(pipe, &byte, 1) }) == 1 { continuation.yield(Int32(byte)) }
      continuation.finish()
    }
  }

  /// A thread of its own: reading sleeps for as long as nobody signals.
  private static func startReader(_ reader: Reader) throws(SystemError) {
    let retained = Unmanaged.passRetained(reader)
    let error = clinux_thread(
      { argument in
        Unmanaged<Reader>.fromOpaque(argument!).takeRetainedValue().serve()
        return nil
      }, retained.toOpaque(), 256 << 10)
    guard error == 0 else {
      retained.release()
      throw SystemError(error, call: "pthread_create")
    }
  }
}

extension Signals {
  /// From now on a write that nobody reads fails with EPIPE instead of ending this process. Programs it starts have the default again.
  package static func ignoreBrokenPipes() { clinux_ignore_broken_pipes() }
}
