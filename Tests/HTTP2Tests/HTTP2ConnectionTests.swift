import HTTP2
import NIOCore
import NIOEmbedded
import Testing

@Suite struct HTTP2ConnectionTests {
  private final class Recorder: HTTP2ConnectionDelegate {
    var connection: HTTP2Connection?
    var events: [SessionEvent] = []
    var cause: String?

    func opened(_ connection: HTTP2Connection) { self.connection = connection }
    func received(_ event: SessionEvent) { events.append(event) }
    func closed(_ cause: String) {
      self.cause = cause
      connection = nil
    }
  }

  private func connect() throws -> (EmbeddedChannel, Recorder) {
    let recorder = Recorder()
    let channel = EmbeddedChannel(handler: HTTP2Connection(.server, configuration: SessionConfiguration(), delegate: recorder))
    channel.connect(to: try SocketAddress(unixDomainSocketPath: "/x"), promise: nil)
    return (channel, recorder)
  }

  private func output(_ channel: EmbeddedChannel) throws -> [Frame] {
    channel.embeddedEventLoop.run()
    var bytes = ByteBuffer()
    while let piece = try channel.readOutbound(as: ByteBuffer.self) { bytes.writeImmutableBuffer(piece) }
    return Frame.parse(bytes)
  }

  @Test func `SETTINGS go out first, and what one turn of the loop causes goes out together`() throws {
    let (channel, recorder) = try connect()
    #expect(try output(channel).first?.kind == 4)
    try channel.writeInbound(Raw.concatenate([Raw.opening, Raw.request(1), Raw.request(3)]))
    _ = try output(channel)
    for stream in [1, 3] as [StreamID] {
      recorder.connection?.session.submitResponse(stream, [":status": "200"], end: .end)
      recorder.connection?.setNeedsFlush()
    }
    channel.embeddedEventLoop.run()
    let written = try channel.readOutbound(as: ByteBuffer.self)
    #expect(Frame.parse(written ?? ByteBuffer()).map(\.stream) == [1, 3])
    _ = try channel.finish(acceptAlreadyClosed: true)
  }

  @Test func `Nothing is taken from the session while the channel cannot write`() throws {
    let (channel, recorder) = try connect()
    try channel.writeInbound(Raw.concatenate([Raw.opening, Raw.request(1)]))
    _ = try output(channel)
    channel.isWritable = false
    recorder.connection?.session.submitResponse(1, [":status": "200"], end: .end)
    recorder.connection?.setNeedsFlush()
    #expect(try output(channel).isEmpty)
    channel.isWritable = true
    channel.pipeline.fireChannelWritabilityChanged()
    #expect(try output(channel).map(\.kind) == [1])
    _ = try channel.finish(acceptAlreadyClosed: true)
  }

  @Test func `A flood closes the channel after its GOAWAY, and the delegate hears why`() throws {
    let (channel, recorder) = try connect()
    let pings = Array(repeating: Raw.frame(.ping, [0, 0, 0, 0, 0, 0, 0, 0]), count: 1100)
    try channel.writeInbound(Raw.concatenate([Raw.opening] + pings))
    #expect(try output(channel).last?.code == 11)
    channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(!channel.isActive)
    #expect(recorder.cause?.contains("PING") == true)
  }

  @Test func `A peer that goes away is reported once, and nothing is kept`() throws {
    weak var weak: Recorder?
    do {
      let (channel, recorder) = try connect()
      weak = recorder
      try channel.writeInbound(Raw.concatenate([Raw.opening, Raw.request(1)]))
      try channel.close().wait()
      channel.embeddedEventLoop.run()
      #expect(recorder.cause == "connection closed")
    }
    #expect(weak == nil)
  }
}
