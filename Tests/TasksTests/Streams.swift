import CLinux
import Core
import Linux
import Testing

/// A session's ends in a test's hands: plain blocking calls on a thread of their own.
final class Streams: Sendable {
  let stdin: Int32
  let stdout: Int32
  let stderr: Int32

  init(_ session: any StreamSession) {
    var streams = session.takeStreams()
    stdin = streams.stdin.take()?.release() ?? -1
    stdout = streams.stdout.take()?.release() ?? -1
    stderr = streams.stderr.take()?.release() ?? -1
  }

  /// All up to the end of the stream (for a terminal, its hang-up).
  static func all(_ fd: Int32) async -> [UInt8] { await read(fd) { _ in false } }

  /// Until `text` has been seen.
  static func read(_ fd: Int32, until text: String) async -> String {
    let needle = Array(text.utf8)
    let bytes = await read(fd) { $0.count >= needle.count && String(decoding: $0, as: UTF8.self).contains(text) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func read(_ fd: Int32, _ isEnough: @escaping @Sendable ([UInt8]) -> Bool) async -> [UInt8] {
    await BlockingWork.run {
      var content: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 256 << 10)
      while !isEnough(content) {
        var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        if poll(&entry, 1, 30_000) == 0 {
          Issue.record("nothing to read for 30 s")
          break
        }
        let count = CLinux.read(fd, &buffer, buffer.count)
        if count < 0 && clinux_errno() == EAGAIN { continue }
        if count <= 0 { break }
        content += buffer[..<count]
      }
      return content
    }
  }

  /// Everything, however often the pipe is full. False where nobody reads any more.
  @discardableResult
  static func write(_ fd: Int32, _ bytes: [UInt8]) async -> Bool {
    await BlockingWork.run {
      var done = 0
      while done < bytes.count {
        var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, 30_000) > 0 else { return false }
        let count = bytes.withUnsafeBytes { CLinux.write(fd, $0.baseAddress! + done, $0.count - done) }
        if count < 0 && clinux_errno() != EAGAIN { return false }
        done += max(count, 0)
      }
      return true
    }
  }

  /// How many descriptors a process has.
  static func open(_ pid: Int32) -> Int { (try? Files.list("/proc/\(pid)/fd").count) ?? -1 }

  static func write(_ fd: Int32, _ text: String) async { await write(fd, Array(text.utf8)) }
  func close(_ fd: Int32) { if fd >= 0 { _ = CLinux.close(fd) } }

  func closeAll() { for fd in [stdin, stdout, stderr] { close(fd) } }
}

/// Waits until `condition` holds.
func eventually(_ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(20)
  while ContinuousClock.now < deadline {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  Issue.record("not within 20 s: \(what)", sourceLocation: sourceLocation)
}
