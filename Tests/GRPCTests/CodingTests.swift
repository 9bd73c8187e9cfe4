import NIOCore
import SwiftProtobuf
import Testing

@testable import GRPC

@Suite struct CodingTests {
  @Test(arguments: ["", "plain", "100%", "größe\n\u{0}", "%41", "%", "%zz", "網路 🚢", String(repeating: "x", count: 4096)])
  func `A message survives its encoding, which is printable ASCII`(_ text: String) {
    let encoded = StatusMessage.encode(text)
    #expect(encoded.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7e })
    #expect(StatusMessage.decode(encoded) == text)
  }

  @Test func `A long message is cut at a character`() {
    let cut = StatusMessage.decode(StatusMessage.encode(String(repeating: "🚢", count: 5000)))
    #expect(cut.hasSuffix("🚢…") && cut.unicodeScalars.allSatisfy { "🚢…".unicodeScalars.contains($0) })
    #expect(StatusMessage.encode(cut).utf8.count <= StatusMessage.limit + 9)
  }

  @Test func `Broken escapes are kept`() {
    #expect(StatusMessage.decode("50% off %4") == "50% off %4")
    #expect(StatusMessage.decode("%E7%B6%B2") == "網")
  }

  @Test(arguments: [
    (Duration.nanoseconds(1), "1n"), (.milliseconds(50), "50000000n"), (.seconds(2), "2000000u"), (.seconds(120), "120000m"),
    (.seconds(1_000_000), "1000000S"), (.seconds(1_000_000_000), "277777H"), (.seconds(-5), "0n"),
  ])
  func `A timeout is written in at most eight digits`(_ timeout: Duration, _ text: String) {
    #expect(Timeout.format(timeout) == text)
    #expect(Timeout.parse(text) != nil)
  }

  @Test func `Timeouts are read in every unit`() {
    let units: [(String, Duration)] = [
      ("3H", .seconds(10_800)), ("3M", .seconds(180)), ("3S", .seconds(3)), ("3m", .milliseconds(3)), ("3u", .microseconds(3)),
      ("3n", .nanoseconds(3)),
    ]
    for (text, duration) in units { #expect(Timeout.parse(text) == duration) }
  }

  @Test func `Messages are found whatever pieces they come in`() throws {
    let messages = [0, 1, 5, 300].map { ByteBuffer(repeating: 9, count: $0) }
    var stream = ByteBuffer()
    for message in messages {
      stream.writeInteger(UInt8(0))
      stream.writeInteger(UInt32(message.readableBytes))
      stream.writeImmutableBuffer(message)
    }
    for step in [1, 2, 3, 7, 64, 1000] {
      var (rest, deframer, found) = (stream, MessageDeframer(limit: 300, kind: "test"), [ByteBuffer]())
      while let piece = rest.readSlice(length: min(step, rest.readableBytes)), piece.readableBytes > 0 {
        deframer.append(piece)
        while let message = try deframer.next() { found.append(message) }
      }
      try deframer.finish()
      #expect(found == messages)
    }
  }

  @Test func `A message is framed in one buffer`() throws {
    let framed = try MessageCoding.encode(Google_Protobuf_StringValue("hello"), limit: 100, kind: "test")
    #expect(Array(framed.readableBytesView) == [0, 0, 0, 0, 7, 0x0a, 5] + Array("hello".utf8))
    let empty = try MessageCoding.encode(Google_Protobuf_Empty(), limit: 100, kind: "test")
    #expect(Array(empty.readableBytesView) == [0, 0, 0, 0, 0])
  }
}
