import CZlib
import NIOCore
import Testing

@testable import Streaming

@Suite struct SPDYTests {
  @Test func `the dictionary is the protocol's`() {
    #expect(SPDYDictionary.bytes.count == 1423)
    #expect(adler32(1, SPDYDictionary.bytes, UInt32(SPDYDictionary.bytes.count)) == 0xe3c6_a7c2)
  }

  @Test func `header blocks share one compressor each way`() throws {
    let (deflater, inflater) = (HeaderDeflater(), HeaderInflater())
    for number in 0..<100 {
      let headers = HeaderBlock(["streamtype": "data", "port": "80", "requestid": "\(number)"])
      #expect(try HeaderBlock(decoding: inflater.inflate(deflater.deflate(headers.encoded))) == headers)
    }
  }

  @Test func `a small block that inflates without end is refused`() throws {
    let block = HeaderDeflater().deflate([UInt8](repeating: 65, count: 1 << 20))
    #expect(throws: SPDYViolation.self) { try HeaderInflater().inflate(block) }
  }

  @Test(arguments: [1, 2, 3, 7, 8, 9, 1000])
  func `frames are the same however their bytes are cut`(size: Int) throws {
    var bytes = SPDYFrameWriter.ping(1)
    bytes.writeImmutableBuffer(SPDYFrameWriter.dataHead(5, length: 20, fin: true))
    bytes.writeBytes((0..<20).map { UInt8($0) })
    bytes.writeImmutableBuffer(SPDYFrameWriter.settings([SPDYSetting(id: 7, value: 100)]))
    bytes.writeImmutableBuffer(SPDYFrameWriter.dataHead(7, length: 0, fin: true))
    bytes.writeImmutableBuffer(SPDYFrameWriter.windowUpdate(5, delta: 9))
    var parser = SPDYFrameParser()
    var frames: [SPDYFrame] = []
    var data: [UInt8] = []
    while let piece = bytes.readSlice(length: min(size, bytes.readableBytes)), piece.readableBytes > 0 {
      parser.feed(piece)
      while let frame = try parser.next() {
        if case .data(5, let piece, _) = frame { data += Array(piece.readableBytesView) } else { frames.append(frame) }
      }
    }
    #expect(data == (0..<20).map { UInt8($0) })
    #expect(
      frames == [.ping(1), .settings([SPDYSetting(id: 7, value: 100)]), .data(7, ByteBuffer(), end: true), .windowUpdate(5, delta: 9)])
  }

  @Test func `ill-formed frames are refused`() {
    let bad: [[UInt8]] = [
      [0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1],  // another version
      [0x80, 3, 0, 6, 0, 0, 0, 5, 0, 0, 0, 1, 0],  // a ping of five bytes
      [0x80, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1],  // SYN_STREAM without its fields
      [0x80, 3, 0, 1, 0, 0xFF, 0xFF, 0xFF],  // a header block of 16 MiB
      [0x80, 3, 0, 4, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 0],  // nine settings in four bytes
      [0, 0, 0, 0, 0, 0, 0, 1, 65],  // data of stream 0
    ]
    for bytes in bad {
      var parser = SPDYFrameParser()
      parser.feed(ByteBuffer(bytes: bytes))
      #expect(throws: SPDYViolation.self, "\(bytes)") { while try parser.next() != nil {} }
    }
  }
}

@Suite struct SPDYSessionTests {
  private let deflater = HeaderDeflater()

  private func open(_ id: UInt32, in session: inout SPDYSession, flags: UInt8 = 0) throws {
    var payload = ByteBuffer(integer: id)
    payload.writeMultipleIntegers(UInt32(0), UInt16(0))
    payload.writeImmutableBuffer(deflater.deflate(HeaderBlock(["streamtype": "data"]).encoded))
    session.feed(SPDYFrameWriter.control(.synStream, flags: flags, payload))
    while try session.next() != nil {}
    session.accept(id)
    _ = session.takeOutgoing()
  }

  private func expectSent(_ expected: Int, by session: inout SPDYSession, at place: SourceLocation = #_sourceLocation) throws {
    let count = try sent(&session)
    #expect(count == expected, sourceLocation: place)
  }

  private func sent(_ session: inout SPDYSession) throws -> Int {
    var parser = SPDYFrameParser()
    for buffer in session.takeOutgoing() { parser.feed(buffer) }
    var count = 0
    while let frame = try parser.next() {
      if case .data(_, let bytes, _) = frame { count += bytes.readableBytes }
    }
    return count
  }

  @Test func `a client that never opens a window gets everything`() throws {
    var session = SPDYSession()
    try open(1, in: &session)
    session.send(1, ByteBuffer(repeating: 1, count: 1 << 20))
    try expectSent(1 << 20, by: &session)
    #expect(session.canSend(1))
  }

  @Test func `towards a client that knows of windows both are kept`() throws {
    var session = SPDYSession()
    session.feed(SPDYFrameWriter.settings([SPDYSetting(id: SPDYSetting.initialWindow, value: 1000)]))
    _ = try session.next()
    try open(1, in: &session)
    session.send(1, ByteBuffer(repeating: 1, count: 3000))
    session.finish(1)
    try expectSent(1000, by: &session)
    #expect(!session.canSend(1))
    session.feed(SPDYFrameWriter.windowUpdate(1, delta: 500))
    _ = try session.next()
    try expectSent(500, by: &session)
    session.feed(SPDYFrameWriter.windowUpdate(1, delta: 100_000))
    _ = try session.next()
    try expectSent(1500, by: &session)
    try open(3, in: &session)
    session.feed(SPDYFrameWriter.windowUpdate(3, delta: 1_000_000))
    _ = try session.next()
    session.send(3, ByteBuffer(repeating: 1, count: 100_000))
    try expectSent(SPDYSession.protocolWindow - 3000, by: &session)
    session.feed(SPDYFrameWriter.windowUpdate(0, delta: 1_000_000))
    _ = try session.next()
    try expectSent(100_000 - SPDYSession.protocolWindow + 3000, by: &session)
  }

  @Test func `windows are given back as data is taken`() throws {
    var session = SPDYSession()
    try open(1, in: &session)
    session.took(1, SPDYSession.window / 2 - 1)
    #expect(session.takeOutgoing().isEmpty)
    session.took(1, 1)
    #expect(session.takeOutgoing() == [SPDYFrameWriter.windowUpdate(1, delta: UInt32(SPDYSession.window / 2))])
  }

  @Test func `pings are answered, and a flood of them ends the session`() throws {
    var session = SPDYSession()
    session.feed(SPDYFrameWriter.ping(7))
    _ = try session.next()
    #expect(session.takeOutgoing().last == SPDYFrameWriter.ping(7))
    for _ in 0..<SPDYSession.answerLimit { session.feed(SPDYFrameWriter.ping(9)) }
    #expect(throws: SPDYViolation.self) { while try session.next() != nil {} }
  }

  @Test func `a stream is forgotten when both sides have ended it`() throws {
    var session = SPDYSession()
    try open(1, in: &session, flags: SPDYFlag.fin)
    #expect(session.streams.count == 1)
    session.finish(1)
    #expect(session.streams.isEmpty)
  }

  @Test func `stream numbers only grow and are odd`() throws {
    var session = SPDYSession()
    try open(5, in: &session)
    for id in [5, 3, 8] as [UInt32] {
      var again = session
      #expect(throws: SPDYViolation.self) { try self.open(id, in: &again) }
    }
  }
}
