import CLinux

/// A pipe through which the kernel passes one socket's bytes on to another: none of them is copied into this process (splice(2)).
///
/// For one thread at a time. Neither side waits; both sockets are non-blocking.
package final class SplicePipe {
  /// Asked of the kernel; it may give less.
  private static let size: Int32 = 1 << 20

  private let output: FileHandle
  private let input: FileHandle
  /// Bytes in it.
  package private(set) var count = 0

  package init() throws(SystemError) {
    var ends: (Int32, Int32) = (-1, -1)
    try check("pipe2") {
      withUnsafeMutableBytes(of: &ends) { pipe2($0.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC | O_NONBLOCK) }
    }
    output = FileHandle(owning: ends.0)
    input = FileHandle(owning: ends.1)
    input.wishPipeSize(Self.size)
  }

  /// Takes what the socket has, `limit` bytes at most; returns how many, 0 where there is nothing now or never again.
  package func fill(from socket: Int32, limit: Int) throws(SystemError) -> Int {
    let moved = try Self.move(socket, input.raw, limit)
    count += moved
    return moved
  }

  /// Gives the socket what it has room for; returns how many bytes that were.
  package func drain(into socket: Int32) throws(SystemError) -> Int {
    let moved = try Self.move(output.raw, socket, count)
    count -= moved
    return moved
  }

  /// Copies bytes out, `limit` at most.
  package func read(limit: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: min(limit, count))
    let got = try check("read", "pipe") { CLinux.read(output.raw, &bytes, bytes.count) }
    bytes.removeLast(bytes.count - got)
    count -= got
    return bytes
  }

  private static func move(_ from: Int32, _ to: Int32, _ limit: Int) throws(SystemError) -> Int {
    guard limit > 0 else { return 0 }
    do throws(SystemError) {
      return try check("splice") { splice(from, nil, to, nil, limit, UInt32(SPLICE_F_MOVE | SPLICE_F_NONBLOCK)) }
    } catch {
      // Where it is not to be had, bytes go the usual way.
      if error.is(EAGAIN, EINVAL, ENOSYS, EPERM) { return 0 }
      throw error
    }
  }
}
