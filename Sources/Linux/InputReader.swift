import CLinux
import Synchronization

/// Reads a descriptor that may be shared with other programs (so that it must not be made non-blocking) on a thread of the caller's, until its end
/// or ``stop()``.
package final class InputReader: Sendable {
  package enum End: Sendable {
    case endOfFile, stopped
  }

  private static let chunk = 64 << 10

  private let descriptor: Int32
  /// Written to by ``stop()``.
  private let ringer: FileHandle
  private let bell: FileHandle

  /// `descriptor` stays the caller's.
  package init(_ descriptor: Int32) throws(SystemError) {
    self.descriptor = descriptor
    var ends: (Int32, Int32) = (-1, -1)
    try check("pipe2") {
      withUnsafeMutableBytes(of: &ends) { pipe2($0.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC | O_NONBLOCK) }
    }
    bell = FileHandle(owning: ends.0)
    ringer = FileHandle(owning: ends.1)
  }

  /// May be called at any time, from any thread.
  package func stop() {
    var one: UInt8 = 1
    _ = write(ringer.raw, &one, 1)
  }

  /// Hands what comes to `body`, which may take its time and says whether to go on. What cannot be read any more is at its end.
  package func read(_ body: ([UInt8]) -> Bool) -> End {
    var buffer = [UInt8](repeating: 0, count: Self.chunk)
    while true {
      var entries = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: bell.raw, events: Int16(POLLIN), revents: 0)]
      if poll(&entries, 2, -1) < 0 && clinux_errno() != EINTR { return .endOfFile }
      if entries[1].revents != 0 { return .stopped }
      guard entries[0].revents != 0 else { continue }
      let count = CLinux.read(descriptor, &buffer, buffer.count)
      if count < 0 && (clinux_errno() == EINTR || clinux_errno() == EAGAIN) { continue }
      if count <= 0 { return .endOfFile }
      if !body(Array(buffer[..<count])) { return .stopped }
    }
  }
}
