import CLinux
import Core
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A proxy that makes tunnels (CONNECT), and does harm to what comes back if asked to.
package final class RelayProxy: Sendable {
  package struct Options: Sendable {
    /// `Basic …`: whoever does not send it gets 407.
    package var authorization: String?
    /// What it shows where it is reached by TLS.
    package var identity: TestAuthority.Identity?
    /// Status line for whoever asks.
    package var refusal: String?
    /// Port on loopback that all tunnels lead to, whatever was asked for.
    package var destination: Int?
    /// Each connection is cut after so many bytes from the server.
    package var dropAfter: Int?
    /// Connections are cut with a reset (RST) rather than an orderly end.
    package var resets = false
    /// Each connection is cut after so many bytes for the server.
    package var dropAfterSent: Int?
    /// Flips a bit of the byte at this position among all that come from the server, once.
    package var corruptAt: Int?

    package init() {}
  }

  package let port: Int
  private let options: Options
  private let state = Mutex(State())

  private struct State {
    var targets: [String] = []
    var relayed = 0
    var isCorrupted = false
  }

  private typealias Pipe = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  private init(port: Int, _ options: Options) {
    self.port = port
    self.options = options
  }

  /// `host:port` of every tunnel asked for.
  package var targets: [String] { state.withLock { $0.targets } }
  /// Bytes that came from servers and were passed on.
  package var relayed: Int { state.withLock { $0.relayed } }

  /// Runs while `body` runs.
  package static func with<T: Sendable>(
    _ options: Options = Options(), isolation: isolated (any Actor)? = #isolation, _ body: (RelayProxy) async throws -> T
  ) async throws -> T {
    let tls = try options.identity.map { identity in
      let chain = try NIOSSLCertificate.fromPEMFile(identity.certificate).map { NIOSSLCertificateSource.certificate($0) }
      let key = try NIOSSLPrivateKey(file: identity.key, format: .pem)
      return try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
    }
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1).bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          return try Pipe(wrappingChannelSynchronously: channel)
        }
      }
    let proxy = RelayProxy(port: server.channel.localAddress?.port ?? 0, options)
    let serving = Task { await proxy.serve(server) }
    let result: Result<T, any Error>
    do { result = .success(try await body(proxy)) } catch { result = .failure(error) }
    serving.cancel()
    await serving.value
    return try result.get()
  }

  private static func pipe(_ channel: any Channel) -> EventLoopFuture<Pipe> {
    channel.eventLoop.makeCompletedFuture { try Pipe(wrappingChannelSynchronously: channel) }
  }

  private func serve(_ server: NIOAsyncChannel<Pipe, Never>) async {
    try? await withThrowingDiscardingTaskGroup { group in
      try await server.executeThenClose { clients in
        for try await client in clients { group.addTask { try? await self.relay(client) } }
      }
    }
  }

  private func relay(_ client: Pipe) async throws {
    try await client.executeThenClose { input, output in
      var input = input.makeAsyncIterator()
      var head = ""
      while !head.hasSuffix("\r\n\r\n"), let bytes = try await input.next() { head += String(buffer: bytes) }
      guard let target = self.target(head) else { return }
      if let wanted = options.authorization, !head.contains("\r\nproxy-authorization: \(wanted)\r\n"), !head.contains(": \(wanted)\r\n") {
        return try await output.write(ByteBuffer(string: "HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n"))
      }
      if let refusal = options.refusal {
        return try await output.write(ByteBuffer(string: "HTTP/1.1 \(refusal)\r\ncontent-length: 0\r\n\r\n"))
      }
      let server = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(host: options.destination == nil ? target.host : "127.0.0.1", port: options.destination ?? target.port) { Self.pipe($0) }
      try await output.write(ByteBuffer(string: "HTTP/1.1 200 Yes\r\n\r\n"))
      try await server.executeThenClose { answers, questions in
        try await withThrowingTaskGroup { group in
          group.addTask {
            try? await self.pass(answers, to: output)
            // All that was relayed leaves before the connection does: an empty write is done when those before it are.
            _ = try? await client.channel.writeAndFlush(ByteBuffer()).get()
            if self.options.resets { try? await client.channel.resetOnClose() }
            client.channel.close(promise: nil)
          }
          var sent = 0
          while let bytes = try await input.next(), self.options.dropAfterSent.map({ sent < $0 }) ?? true {
            sent += bytes.readableBytes
            try await questions.write(bytes)
          }
          group.cancelAll()
        }
      }
    }
  }

  private func target(_ head: String) -> (host: String, port: Int)? {
    let words = head.split(separator: " ")
    guard words.count > 2, words[0] == "CONNECT", let colon = words[1].lastIndex(of: ":"),
      let port = Int(words[1][words[1].index(after: colon)...])
    else { return nil }
    state.withLock { $0.targets.append(String(words[1])) }
    return (String(words[1][..<colon]), port)
  }

  private func pass(_ answers: NIOAsyncChannelInboundStream<ByteBuffer>, to output: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws
  {
    var count = 0
    for try await var bytes in answers {
      count += bytes.readableBytes
      harm(&bytes)
      if let limit = options.dropAfter, count >= limit {
        state.withLock { $0.relayed -= count - limit }
        bytes.moveWriterIndex(to: max(bytes.readerIndex, bytes.writerIndex - (count - limit)))
        try await output.write(bytes)
        return
      }
      try await output.write(bytes)
    }
  }

  private func harm(_ bytes: inout ByteBuffer) {
    let position: Int? = state.withLock { state in
      let start = state.relayed
      state.relayed += bytes.readableBytes
      guard let at = options.corruptAt, !state.isCorrupted, (start..<state.relayed).contains(at) else { return nil }
      state.isCorrupted = true
      return at - start
    }
    guard let position else { return }
    let index = bytes.readerIndex + position
    if let byte = bytes.getInteger(at: index, as: UInt8.self) { bytes.setInteger(byte ^ 0x10, at: index) }
  }
}

extension Channel {
  /// Closing is a reset (SO_LINGER of no time at all). It would throw away what was not sent, so the peer's kernel gets all of it first.
  fileprivate func resetOnClose() async throws {
    while try await unsent() > 0 { try await Task.sleep(for: .milliseconds(2)) }
    try await (self as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
  }

  /// Bytes that the peer's kernel has not acknowledged.
  private func unsent() async throws -> Int32 {
    try await eventLoop.submit {
      try self.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
        var count: Int32 = 0
        _ = ioctl(socket, UInt(TIOCOUTQ), &count)
        return count
      } ?? 0
    }.get()
  }
}
