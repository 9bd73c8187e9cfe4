import Core
import NIOCore
import NIOPosix
import Synchronization

/// A way to a proxy that the HTTP client cannot ask itself: a port on loopback that makes tunnels (CONNECT) through it. The client knows only proxies
/// that are asked in the clear, and names IPv6 addresses to them without brackets; its own TLS to the registry goes on within the tunnel, and the door
/// sees nothing of it.
///
/// Others on this machine could ask the door, too: it opens only for who knows its secret, in place of which the proxy gets its own credentials.
final class ProxyDoor: Sendable {
  let port: Int
  /// In place of base64 of user and password, for `Proxy-Authorization`.
  let secret: String
  private let dialer: ProxyDialer
  private let failures = Mutex<[String: Fault]>([:])

  private init(port: Int, _ dialer: ProxyDialer) {
    var random = SystemRandomNumberGenerator()
    secret = (0..<4).map { _ in String(random.next() as UInt64, radix: 36) }.joined()
    self.port = port
    self.dialer = dialer
  }

  /// Opened, and served by a task that ends when it is cancelled.
  static func open(to dialer: ProxyDialer) async throws -> (door: ProxyDoor, serving: Task<Void, Never>) {
    let server = try await ServerBootstrap(group: dialer.group)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture { try ProxyDialer.Pipe(wrappingChannelSynchronously: channel) }
      }
    let door = ProxyDoor(port: server.channel.localAddress?.port ?? 0, dialer)
    return (door, Task { await door.serve(server) })
  }

  /// Why the last tunnel to `target` was not made; `nil` where it was.
  func failure(to target: TunnelTarget) -> Fault? { failures.withLock { $0[target.text] } }

  private func note(_ fault: Fault?, _ target: TunnelTarget) {
    failures.withLock { failures in
      if failures.count >= 256 { failures.removeAll() }
      failures[target.text] = fault
    }
  }

  private func serve(_ server: NIOAsyncChannel<ProxyDialer.Pipe, Never>) async {
    try? await withThrowingDiscardingTaskGroup { group in
      try await server.executeThenClose { clients in
        for try await client in clients { group.addTask { try? await self.lead(client) } }
      }
    }
  }

  private func lead(_ client: ProxyDialer.Pipe) async throws {
    try await client.executeThenClose { questions, answers in
      var questions = questions.makeAsyncIterator()
      let alarm = dialer.alarm(for: client.channel)
      defer { alarm.cancel() }
      let request = try await MessageHead.read(&questions)
      alarm.cancel()
      guard let target = TunnelTarget(request: request.firstLine), request.value(of: "proxy-authorization") == "Basic \(secret)" else {
        return try await answers.write(ByteBuffer(string: "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"))
      }
      do throws(Fault) {
        let tunnel = try await dialer.connect()
        try? await lead(&questions, Answers(channel: client.channel, writer: answers), tunnel, target)
      } catch {
        note(error, target)
        try await answers.write(Answers.refusal)
      }
    }
  }

  /// Towards the client.
  private struct Answers: Sendable {
    static let refusal = ByteBuffer(string: "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")

    let channel: any Channel
    let writer: NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// All that was written is sent before the connection ends.
    func end() async {
      _ = try? await channel.writeAndFlush(ByteBuffer()).get()
      channel.close(promise: nil)
    }
  }

  /// Until either side is done.
  private func lead(
    _ questions: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ answers: Answers, _ tunnel: ProxyDialer.Pipe,
    _ target: TunnelTarget
  ) async throws {
    let alarm = dialer.alarm(for: tunnel.channel)
    defer { alarm.cancel() }
    try await tunnel.executeThenClose { incoming, outgoing in
      await withDiscardingTaskGroup { group in
        group.addTask {
          await self.pass(incoming, to: answers, target, alarm)
          await answers.end()
        }
        if (try? await outgoing.write(dialer.request(target))) != nil {
          while let bytes = try? await questions.next(), (try? await outgoing.write(bytes)) != nil {}
        }
        group.cancelAll()
      }
    }
  }

  /// The proxy's answer, and then what comes through the tunnel.
  private func pass(
    _ incoming: NIOAsyncChannelInboundStream<ByteBuffer>, to answers: Answers, _ target: TunnelTarget, _ alarm: Scheduled<Void>
  ) async {
    var head = ByteBuffer()
    var isOpen = false
    do {
      for try await var bytes in incoming {
        if isOpen {
          try await answers.writer.write(bytes)
          continue
        }
        head.writeBuffer(&bytes)
        guard let answer = try MessageHead(head) else { continue }
        try dialer.check(answer, target)
        (isOpen, _) = (true, alarm.cancel())
        note(nil, target)
        try await answers.writer.write(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"))
        if answer.rest.readableBytes > 0 { try await answers.writer.write(answer.rest) }
      }
      if !isOpen { throw MessageHead.Unreadable.closed }
    } catch {
      if isOpen { return }
      note(await dialer.fault(error, target), target)
      try? await answers.writer.write(Answers.refusal)
    }
  }
}
