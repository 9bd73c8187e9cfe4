import CLinux
import Core
import Linux
import NIOCore
import NIOPosix
import Support
import Testing

@testable import Streaming

@Suite(.serialized) struct PortForwardTests {
  /// What a server in a pod does with each connection.
  private enum Manner: Sendable { case echo, reset, answerAfterEnd }

  private func withServer(_ manner: Manner, _ body: (UInt16) async throws -> Void) async throws {
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.backlog, value: 2048)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(PodServer(manner)) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    do { try await body(UInt16(server.localAddress!.port!)) } catch {
      try await server.close()
      throw error
    }
    try await server.close()
  }

  private final class PodServer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    let manner: Manner
    var heard = 0

    init(_ manner: Manner) { self.manner = manner }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = Self.unwrapInboundIn(data)
      heard += bytes.readableBytes
      switch manner {
      case .echo: context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: nil)
      case .reset:
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        context.close(promise: nil)
      case .answerAfterEnd: break
      }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      guard case .inputClosed? = event as? ChannelEvent else { return }
      if manner == .answerAfterEnd { context.write(Self.wrapOutboundOut(ByteBuffer(string: "heard \(heard)")), promise: nil) }
      context.flush()
      context.close(promise: nil)
    }
  }

  private func url(_ fixture: Fixture, ports: [UInt16] = []) throws -> String {
    try fixture.server.url(for: .portForward(pod: "default/web", ports: ports) { nil })
  }

  private struct Pair {
    let data: UInt32
    let error: UInt32
  }

  private func open(_ client: SPDYClient, _ port: UInt16, request: String) async throws -> Pair {
    let error = try await client.open(["streamtype": "error", "port": "\(port)", "requestid": request])
    try await client.send(error, "", fin: true)
    let data = try await client.open(["streamtype": "data", "port": "\(port)", "requestid": request])
    return Pair(data: data, error: error)
  }

  @Test func `many connections on one session, each with its own bytes`() async throws {
    try await withServer(.echo) { port in
      try await Fixture.with { fixture in
        let client = try await SPDYClient.connect(try url(fixture), versions: ["portforward.k8s.io"])
        var pairs: [Pair] = []
        for number in 0..<1000 { pairs.append(try await open(client, port, request: "\(number)")) }
        for (number, pair) in pairs.enumerated() { try await client.send(pair.data, "connection \(number)") }
        let last = { (pair: Pair, number: Int) in client.text(pair.data) == "connection \(number)" }
        for (number, pair) in pairs.enumerated() { try await client.receive { last(pair, number) } }
        for pair in pairs { try await client.send(pair.data, "", fin: true) }
        try await client.receive { pairs.allSatisfy { client.ended.contains($0.data) && client.ended.contains($0.error) } }
        #expect(client.resets.isEmpty && pairs.allSatisfy { client.text($0.error) == "" })
        try await client.wire.close()
      }
    }
  }

  @Test func `a half-close goes through, and what the pod says after it comes back`() async throws {
    try await withServer(.answerAfterEnd) { port in
      try await Fixture.with { fixture in
        let client = try await SPDYClient.connect(try url(fixture), versions: ["portforward.k8s.io"])
        let pair = try await open(client, port, request: "0")
        try await client.send(pair.data, [UInt8](repeating: 7, count: 300_000), fin: true)
        try await client.receive { client.ended.contains(pair.data) }
        #expect(client.text(pair.data) == "heard 300000")
        try await client.wire.close()
      }
    }
  }

  @Test func `a refused connect says why, a reset shows on its stream, and the session goes on`() async throws {
    try await withServer(.reset) { resetting in
      try await withServer(.echo) { port in
        try await Fixture.with { fixture in
          let nobody = UInt16(try await Loopback.freePort())
          let client = try await SPDYClient.connect(try url(fixture), versions: ["portforward.k8s.io"])
          let refused = try await open(client, nobody, request: "refused")
          try await client.receive { client.ended.contains(refused.error) && client.ended.contains(refused.data) }
          #expect(
            client.text(refused.error).contains("port \(nobody) to pod default/web") && client.text(refused.error).contains("refused"))
          let reset = try await open(client, resetting, request: "reset")
          try await client.send(reset.data, "x")
          try await client.receive { client.resets[reset.data] != nil && client.ended.contains(reset.error) }
          #expect(client.text(reset.error) == "")
          let good = try await open(client, port, request: "good")
          try await client.send(good.data, "still here")
          try await client.receive { client.text(good.data) == "still here" }
          #expect(client.text(good.data) == "still here")
          try await client.wire.close()
        }
      }
    }
  }

  @Test func `streams without request numbers pair up, ill-formed ones are reset`() async throws {
    try await withServer(.echo) { port in
      try await Fixture.with { fixture in
        let client = try await SPDYClient.connect(try url(fixture), versions: ["portforward.k8s.io"])
        for headers in [["streamtype": "data"], ["streamtype": "data", "port": "0"], ["streamtype": "x", "port": "80"]]
          as [KeyValuePairs<String, String>]
        { _ = try await client.open(headers) }
        _ = try await client.open(["streamtype": "error", "port": "\(port)"])
        let data = try await client.open(["streamtype": "data", "port": "\(port)"])
        try await client.send(data, "hello")
        try await client.receive { client.text(data) == "hello" }
        #expect(client.resets.count == 3 && client.text(data) == "hello")
        try await client.wire.close()
      }
    }
  }

  @Test func `a client that goes away closes its connections`() async throws {
    try await withServer(.echo) { port in
      try await Fixture.with { fixture in
        let client = try await SPDYClient.connect(try url(fixture), versions: ["portforward.k8s.io"])
        let pair = try await open(client, port, request: "0")
        try await client.send(pair.data, "x")
        try await client.receive { client.text(pair.data) == "x" }
        try await client.wire.close()
      }
    }
  }

  @Test func `SPDY goes through the messages of a WebSocket, cut anywhere`() async throws {
    try await withServer(.echo) { port in
      try await Fixture.with { fixture in
        let client = try await WebSocketClient.connect(try url(fixture), "SPDY/3.1+portforward.k8s.io")
        let deflater = HeaderDeflater()
        var bytes = ByteBuffer()
        for (id, type) in [(1, "error"), (3, "data")] as [(UInt32, String)] {
          var payload = ByteBuffer(integer: id)
          payload.writeMultipleIntegers(UInt32(0), UInt16(0))
          let headers = HeaderBlock(["streamtype": type, "port": "\(port)", "requestid": "0"])
          payload.writeImmutableBuffer(deflater.deflate(headers.encoded))
          bytes.writeImmutableBuffer(SPDYFrameWriter.control(.synStream, payload))
        }
        bytes.writeImmutableBuffer(SPDYFrameWriter.dataHead(3, length: 5, fin: false))
        bytes.writeString("hello")
        while let piece = bytes.readBytes(length: min(11, bytes.readableBytes)), !piece.isEmpty { try await client.sendMessage(piece) }
        try await client.receive { Self.data(client.messages) == Array("hello".utf8) }
        #expect(Self.data(client.messages) == Array("hello".utf8))
        try await client.wire.close()
      }
    }
  }

  /// The data of stream 3 in the SPDY frames that messages carry.
  private static func data(_ messages: [[UInt8]]) -> [UInt8] {
    var parser = SPDYFrameParser()
    for message in messages { parser.feed(ByteBuffer(bytes: message)) }
    var data: [UInt8] = []
    while let frame = try? parser.next() {
      if case .data(3, let bytes, _) = frame { data += Array(bytes.readableBytesView) }
    }
    return data
  }

  @Test func `over channels each port of the request has two, which begin with its number`() async throws {
    try await withServer(.answerAfterEnd) { port in
      try await withServer(.echo) { echo in
        try await Fixture.with { fixture in
          let client = try await WebSocketClient.connect(try url(fixture, ports: [port, echo]), "v4.channel.k8s.io")
          try await client.send(2, "hi")
          try await client.receive { client.output[2]?.count == 4 }
          let number = { (port: UInt16) in [UInt8(port & 0xFF), UInt8(port >> 8)] }
          #expect(client.output[0] == number(port) && client.output[1] == number(port) && client.output[3] == number(echo))
          #expect(client.output[2] == number(echo) + Array("hi".utf8))
          try await client.wire.close()
        }
      }
    }
  }
}

@Suite(.serialized) struct LoopbackDialerTests {
  @Test func `a namespace that is not there, and a port that nobody has, are named`() async throws {
    let dialer = LoopbackDialer()
    for (netns, text) in [("/nonexistent", "open /nonexistent: No such file"), (nil, "refused")] as [(String?, String)] {
      let port = UInt16(try await Loopback.freePort())
      let error = await #expect(throws: SystemError.self) { _ = try await dialer.dial(port, netns: netns, timeout: .seconds(5)) }
      #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }
    dialer.close()
    await #expect(throws: SystemError.self) { _ = try await dialer.dial(1, netns: nil, timeout: .seconds(5)) }
  }

  @Test func `the other family is tried where the first refuses`() async throws {
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(host: "::1", port: 0).get()
    let dialer = LoopbackDialer()
    let socket = try await dialer.dial(UInt16(server.localAddress!.port!), netns: nil, timeout: .seconds(5))
    _ = FileHandle(owning: socket)
    dialer.close()
    try await server.close()
  }

  @Test func `a listener that does not accept delays no other, and ends at its deadline`() async throws {
    let full = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.backlog, value: 1).serverChannelOption(.autoRead, value: false).bind(host: "127.0.0.1", port: 0).get()
    let free = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(host: "127.0.0.1", port: 0).get()
    let port = UInt16(full.localAddress!.port!)
    let dialer = LoopbackDialer()
    try await withThrowingTaskGroup(of: Int32?.self) { group in
      for _ in 0..<6 {
        group.addTask { try? await dialer.dial(port, netns: nil, timeout: .seconds(2)) }
      }
      let socket = try await dialer.dial(UInt16(free.localAddress!.port!), netns: nil, timeout: .seconds(1))
      _ = FileHandle(owning: socket)
      let held = try await group.reduce(into: [Int32]()) { if let socket = $1 { $0.append(socket) } }
      #expect(held.count < 6)
      for socket in held { _ = FileHandle(owning: socket) }
    }
    dialer.close()
    try await full.close()
    try await free.close()
  }
}
