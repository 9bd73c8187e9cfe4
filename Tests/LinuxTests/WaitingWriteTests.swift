import CLinux
import Linux
import Testing

@Suite struct WaitingWriteTests {
  @Test func `all is written to a pipe that does not wait, however slowly it is read`() async throws {
    var ends: [Int32] = [-1, -1]
    try check("pipe2") { pipe2(&ends, O_CLOEXEC | O_NONBLOCK) }
    let reader = FileHandle(owning: ends[0])
    let writer = FileHandle(owning: ends[1])
    let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    let raw = writer.raw
    let writing = Task { try await BlockingWork.run { try Files.write(bytes, to: raw, "pipe") } }
    let read = await Self.read(reader.raw, bytes.count)
    try await writing.value
    #expect(read == bytes)
    _ = writer
  }

  @Test func `a pipe that nobody reads any more is an error, not a wait`() throws {
    Signals.ignoreBrokenPipes()
    let writer = try FileHandle.unread()
    #expect(throws: SystemError.self) { try Files.write([1], to: writer.raw, "pipe") }
  }

  private static func read(_ descriptor: Int32, _ count: Int) async -> [UInt8] {
    await BlockingWork.run {
      var (bytes, piece) = ([UInt8](), [UInt8](repeating: 0, count: 10_000))
      while bytes.count < count {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 30_000) > 0 else { break }
        let got = CLinux.read(descriptor, &piece, piece.count)
        if got > 0 { bytes += piece[..<got] } else if clinux_errno() != EAGAIN { break }
      }
      return bytes
    }
  }
}
