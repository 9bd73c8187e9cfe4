import CLinux
import Linux
import Testing

@Suite struct CollectedOutputTests {
  @Test func `both streams share the limit, and what is beyond it is read and dropped`() async throws {
    let (out, err) = (try Self.pipe(), try Self.pipe())
    let collected = CollectedOutput(
      stdout: FileHandle(owning: out.reading), stderr: FileHandle(owning: err.reading), limit: 300_000)
    // Far more than the pipes hold: a reader that stopped at the limit would never let this end.
    await BlockingWork.run {
      for (descriptor, byte) in [(err.writing, UInt8(ascii: "e")), (out.writing, UInt8(ascii: "o"))] {
        try? Files.write([UInt8](repeating: byte, count: descriptor == err.writing ? 100_000 : 2_000_000), to: descriptor, "pipe")
        _ = close(descriptor)
      }
    }
    let bytes = await collected.finish(quiet: .seconds(30), linger: .seconds(30))
    #expect(bytes.stderr.count + bytes.stdout.count == 300_000)
    #expect(bytes.stdout.allSatisfy { $0 == UInt8(ascii: "o") } && bytes.stderr.allSatisfy { $0 == UInt8(ascii: "e") })
  }

  private static func pipe() throws(SystemError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    try check("pipe2") { pipe2(&ends, O_CLOEXEC | O_NONBLOCK) }
    return (ends[0], ends[1])
  }
}
