package import NIOCore
package import NIOHTTP1
import NIOPosix
package import NIOSSL
import Synchronization

/// An HTTP server that answers with whatever bytes a test wants, and remembers what it was asked.
package final class HostileServer: Sendable {
  package struct Request: Sendable {
    package let method: String
    /// Path and query as they came.
    package let target: String
    package let headers: HTTPHeaders
    package let body: String
    /// Which request to this server it is, from 0.
    package let number: Int

    package var path: String { String(target.prefix { $0 != "?" }) }
    package var query: String { String(target.dropFirst(path.count + 1)) }
    package var authorization: String? { headers.first(name: "Authorization") }
    /// First byte of a `Range: bytes=N-`.
    package var from: Int { headers.first(name: "Range").flatMap { Int($0.dropFirst("bytes=".count).dropLast()) } ?? 0 }
  }

  package enum Step: Sendable {
    case send([UInt8])
    case pause(TimeAmount)
    case close
  }

  package typealias Script = @Sendable (Request) -> [Step]

  package let port: Int
  private let channel: any Channel
  private let log: RequestLog

  /// `127.0.0.1:port`
  package var authority: String { "127.0.0.1:\(port)" }
  package var requests: [Request] { log.all }

  private init(_ channel: any Channel, _ log: RequestLog) {
    self.channel = channel
    self.log = log
    port = channel.localAddress?.port ?? 0
  }

  package static func start(_ tls: NIOSSLContext?, _ script: @escaping Script) async throws -> HostileServer {
    let log = RequestLog()
    let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelInitializer { channel in
        log.add(channel)
        return channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          try channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(HTTPRequestDecoder()), ScriptHandler(script, log),
          ])
        }
      }
    return HostileServer(try await bootstrap.bind(host: "127.0.0.1", port: 0).get(), log)
  }

  package func stop() async throws {
    try await channel.close()
    await log.closeAll()
  }
}

/// Runs a hostile server while `body` runs.
package func withHostileServer<T>(
  tls: NIOSSLContext? = nil, isolation: isolated (any Actor)? = #isolation, _ script: @escaping HostileServer.Script,
  _ body: (HostileServer) async throws -> T
) async throws -> T {
  let server = try await HostileServer.start(tls, script)
  let result: Result<T, any Error>
  do { result = .success(try await body(server)) } catch { result = .failure(error) }
  try await server.stop()
  return try result.get()
}

extension [HostileServer.Step] {
  /// A well-formed response, whose length may be a lie.
  package static func response(
    _ status: Int, _ headers: [String: String] = [:], _ body: [UInt8] = [], length: Int? = nil, close: Bool = false
  )
    -> Self
  {
    var head = "HTTP/1.1 \(status) Status\r\nContent-Length: \(length ?? body.count)\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if close { head += "Connection: close\r\n" }
    return [.send([UInt8]((head + "\r\n").utf8) + body)] + (close ? [.close] : [])
  }

  package static func response(_ status: Int, _ headers: [String: String] = [:], text: String) -> Self {
    response(status, headers, [UInt8](text.utf8))
  }

  /// A blob's bytes as an honest server gives them, in answer to a Range too, but at most `limit` of them before it hangs up.
  package static func blob(_ bytes: [UInt8], _ request: HostileServer.Request, limit: Int = .max) -> Self {
    let from = Swift.min(request.from, bytes.count)
    let rest = bytes.count - from
    let headers = from > 0 ? ["Content-Range": "bytes \(from)-\(bytes.count - 1)/\(bytes.count)"] : [:]
    return response(from > 0 ? 206 : 200, headers, [UInt8](bytes[from...].prefix(limit)), length: rest) + (limit < rest ? [.close] : [])
  }
}

/// What a server was asked, and the connections it has.
final class RequestLog: Sendable {
  private let requests = Mutex<[HostileServer.Request]>([])
  private let channels = Mutex<[any Channel]>([])

  var all: [HostileServer.Request] { requests.withLock { $0 } }

  func add(_ head: HTTPRequestHead, _ body: String) -> HostileServer.Request {
    requests.withLock { requests in
      let request = HostileServer.Request(
        method: head.method.rawValue, target: head.uri, headers: head.headers, body: body, number: requests.count)
      requests.append(request)
      return request
    }
  }

  func add(_ channel: any Channel) { channels.withLock { $0.append(channel) } }

  func closeAll() async {
    for channel in channels.withLock({ $0 }) { try? await channel.close() }
  }
}

private final class ScriptHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart

  private let script: HostileServer.Script
  private let log: RequestLog
  private var head: HTTPRequestHead?
  private var body = ""

  init(_ script: @escaping HostileServer.Script, _ log: RequestLog) {
    self.script = script
    self.log = log
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = ""
    case .body(let buffer): body += String(buffer: buffer)
    case .end: if let head { perform(script(log.add(head, body))[...], on: context.channel) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func perform(_ steps: ArraySlice<HostileServer.Step>, on channel: any Channel) { Self.perform(steps, on: channel) }

  private static func perform(_ steps: ArraySlice<HostileServer.Step>, on channel: any Channel) {
    guard let step = steps.first, channel.isActive else { return }
    let rest = steps.dropFirst()
    switch step {
    case .send(let bytes): channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenSuccess { perform(rest, on: channel) }
    case .pause(let time): channel.eventLoop.scheduleTask(in: time) { perform(rest, on: channel) }
    case .close: channel.close(promise: nil)
    }
  }
}
