import CLinux
import Core
import NIOCore
import NIOPosix
import Support
import Synchronization
import Testing

@testable import Streaming

/// Shared between a test and its server.
private final class Count: Sendable { let value = Atomic<Int>(0) }

/// Port-forward of more than any buffer holds: most of it passes through the kernel unread.
@Suite(.serialized) struct BulkForwardTests {
  /// No power of two, so that a piece in the wrong place shows.
  private static let block = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

  /// Pours as much as was asked for into each connection, as fast as it is taken.
  private final class Spring: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private var left: Int
    private let isReset: Bool
    private let poured: Count
    private let block = ByteBuffer(bytes: BulkForwardTests.block)

    init(_ count: Int, isReset: Bool, _ poured: Count) {
      left = count
      self.isReset = isReset
      self.poured = poured
    }

    func channelActive(context: ChannelHandlerContext) { pour(context) }
    func channelWritabilityChanged(context: ChannelHandlerContext) { pour(context) }

    private func pour(_ context: ChannelHandlerContext) {
      while left > 0 && context.channel.isWritable {
        let count = min(left, block.readableBytes)
        left -= count
        poured.value.add(count, ordering: .relaxed)
        context.writeAndFlush(Self.wrapOutboundOut(block.getSlice(at: 0, length: count)!), promise: left == 0 ? end(context) : nil)
      }
    }

    private func end(_ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
      let promise = context.eventLoop.makePromise(of: Void.self)
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      promise.futureResult.whenComplete { _ in
        let (spring, context) = bound.value
        if spring.isReset {
          _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        context.close(promise: nil)
      }
      return promise
    }
  }

  private func withSpring(
    _ count: Int, isReset: Bool = false, _ body: (_ url: () throws -> String, _ port: UInt16, _ poured: Count) async throws -> Void
  ) async throws {
    let poured = Count()
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Spring(count, isReset: isReset, poured))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let port = UInt16(server.localAddress!.port!)
    try await Fixture.with { fixture in
      try await body({ try fixture.server.url(for: .portForward(pod: "p", ports: [port]) { nil }) }, port, poured)
    }
    try await server.close()
  }

  private static func isWhole(_ bytes: [UInt8]?, _ count: Int) -> Bool {
    guard let bytes, bytes.count == count else { return false }
    return bytes.withUnsafeBytes { all in
      stride(from: 0, to: count, by: block.count).allSatisfy { start in
        memcmp(all.baseAddress! + start, block, min(block.count, count - start)) == 0
      }
    }
  }

  private func open(_ client: SPDYClient, _ port: UInt16, _ number: Int) async throws -> UInt32 {
    _ = try await client.open(["streamtype": "error", "port": "\(port)", "requestid": "\(number)"], fin: true)
    return try await client.open(["streamtype": "data", "port": "\(port)", "requestid": "\(number)"])
  }

  @Test func `a client that stops reading and goes on has everything, in whole frames`() async throws {
    let count = 24 << 20
    try await withSpring(count) { url, port, poured in
      let client = try await SPDYClient.connect(try url(), versions: ["portforward.k8s.io"])
      let stream = try await open(client, port, 0)
      for ping in 0..<20 {
        try await client.receive { client.output[stream]?.count ?? 0 > ping << 20 }
        try await client.wire.setReading(false)
        // Its answer must not come in the middle of what is on its way.
        try await client.wire.write(SPDYFrameWriter.ping(UInt32(ping * 2 + 1)))
        try await client.wire.setReading(true)
      }
      let pongs = { client.control.count { if case .ping = $0 { true } else { false } } }
      try await client.receive { client.ended.contains(stream) && pongs() == 20 }
      #expect(Self.isWhole(client.output[stream], count))
      try await client.wire.close()
    }
  }

  @Test func `a client that does not read holds the pod's side, and little of its bytes`() async throws {
    try await withSpring(1 << 30) { url, port, poured in
      let client = try await SPDYClient.connect(try url(), versions: ["portforward.k8s.io"])
      try await client.wire.setReading(false)
      _ = try await open(client, port, 0)
      var last = -1
      try await eventually("the pod's side stands still", within: 60) {
        let now = poured.value.load(ordering: .relaxed)
        defer { last = now }
        try await Task.sleep(for: .milliseconds(200))
        return now > 0 && now == last ? true : nil
      }
      #expect(last < 64 << 20)
      try await client.wire.close()
    }
  }

  @Test func `connections beside each other each get their own, and none waits for the others' end`() async throws {
    let count = 4 << 20
    try await withSpring(count) { url, port, _ in
      let client = try await SPDYClient.connect(try url(), versions: ["portforward.k8s.io"])
      var streams: [UInt32] = []
      for number in 0..<8 { streams.append(try await open(client, port, number)) }
      try await client.receive { streams.allSatisfy { client.ended.contains($0) } }
      for stream in streams { #expect(Self.isWhole(client.output[stream], count)) }
      try await client.wire.close()
    }
  }

  @Test func `towards a client with windows no frame is larger than those`() async throws {
    let count = 1 << 20
    try await withSpring(count) { url, port, _ in
      let client = try await SPDYClient.connect(try url(), versions: ["portforward.k8s.io"])
      try await client.wire.write(SPDYFrameWriter.windowUpdate(0, delta: 8 << 20))
      let stream = try await open(client, port, 0)
      var window = 64 << 10
      while window < count {
        try await client.receive { client.output[stream]?.count ?? 0 >= window }
        #expect(client.output[stream]?.count == window)
        let more = min(100_000, count - window)
        try await client.wire.write(SPDYFrameWriter.windowUpdate(stream, delta: UInt32(more)))
        window += more
      }
      try await client.receive { client.ended.contains(stream) }
      #expect(Self.isWhole(client.output[stream], count))
      try await client.wire.close()
    }
  }

  @Test func `a reset in the middle shows as one, and the session goes on`() async throws {
    try await withSpring(12 << 20, isReset: true) { url, port, _ in
      let client = try await SPDYClient.connect(try url(), versions: ["portforward.k8s.io"])
      for number in 0..<3 {
        let stream = try await open(client, port, number)
        try await client.receive { client.resets[stream] != nil }
        #expect(client.resets[stream] != nil && !client.ended.contains(stream))
      }
      try await client.wire.close()
    }
  }

  @Test(arguments: ["v4.channel.k8s.io", "v5.channel.k8s.io"])
  func `over channels everything comes, too`(name: String) async throws {
    let count = 8 << 20
    try await withSpring(count) { url, _, _ in
      let client = try await WebSocketClient.connect(try url(), name)
      // The port's number comes first.
      try await client.receive { client.output[0]?.count ?? 0 >= count + 2 }
      #expect(Self.isWhole(client.output[0].map { Array($0.dropFirst(2)) }, count))
      try await client.wire.close()
    }
  }

  @Test func `through the tunnel everything comes, too`() async throws {
    let count = 8 << 20
    try await withSpring(count) { url, port, _ in
      let client = try await WebSocketClient.connect(try url(), "SPDY/3.1+portforward.k8s.io")
      let deflater = HeaderDeflater()
      for (id, type) in [(1, "error"), (3, "data")] as [(UInt32, String)] {
        var payload = ByteBuffer(integer: id)
        payload.writeMultipleIntegers(UInt32(0), UInt16(0))
        payload.writeImmutableBuffer(deflater.deflate(HeaderBlock(["streamtype": type, "port": "\(port)", "requestid": "0"]).encoded))
        try await client.sendMessage(Array(SPDYFrameWriter.control(.synStream, payload).readableBytesView))
      }
      var (parser, seen, data, isEnded) = (SPDYFrameParser(), 0, [UInt8](), false)
      try await client.receive {
        for message in client.messages[seen...] { parser.feed(ByteBuffer(bytes: message)) }
        seen = client.messages.count
        while let frame = try? parser.next() {
          guard case .data(3, let bytes, let end) = frame else { continue }
          data += bytes.readableBytesView
          isEnded = isEnded || end
        }
        return isEnded
      }
      #expect(Self.isWhole(data, count))
      try await client.wire.close()
    }
  }
}
