import NIOCore
import TTRPC
import Testing

@Suite struct FrameTests {
  private let frame = Frame(stream: 0x0102_0304, kind: .response, flags: 5, payload: ByteBuffer(bytes: [9, 8, 7]))
  private let bytes: [UInt8] = [0, 0, 0, 3, 1, 2, 3, 4, 2, 5, 9, 8, 7]

  @Test func theHeaderIsTenBytesBigEndian() {
    var buffer = ByteBuffer()
    frame.write(to: &buffer)
    #expect(Array(buffer.readableBytesView) == bytes)
  }

  @Test func aFrameIsReadOnlyOnceItIsComplete() throws {
    for cut in 0..<bytes.count {
      var buffer = ByteBuffer(bytes: bytes[..<cut])
      #expect(try Frame(from: &buffer) == nil)
      #expect(buffer.readableBytes == cut)
    }
    var buffer = ByteBuffer(bytes: bytes + [0xaa])
    #expect(try Frame(from: &buffer) == frame)
    #expect(Array(buffer.readableBytesView) == [0xaa])
  }

  @Test func theLimitIsFourMebibytesOfPayload() throws {
    var largest = ByteBuffer(bytes: [0, 0x40, 0, 0, 0, 0, 0, 1, 2, 0])
    #expect(try Frame(from: &largest) == nil)
    var oversized = ByteBuffer(bytes: [0, 0x40, 0, 1, 0, 0, 0, 1, 2, 0])
    #expect(throws: FrameError.oversized(4_194_305)) { try Frame(from: &oversized) }
  }
}
