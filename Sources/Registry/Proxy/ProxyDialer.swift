import Core
import NIOCore
import NIOPosix
import NIOSSL

/// Makes tunnels through a proxy.
struct ProxyDialer: Sendable {
  typealias Pipe = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  let group: any EventLoopGroup
  let proxy: ProxySettings.Proxy
  /// `nil` where the proxy is asked in the clear.
  let tls: NIOSSLContext?
  /// For a tunnel, from the first packet to the proxy's answer.
  let timeout: Duration

  private var name: String { "proxy \(proxy.display)" }

  /// What keeps it from being made is said with its stage, as by ``fault(_:_:)``.
  func connect() async throws(Fault) -> Pipe {
    do {
      return try await ClientBootstrap(group: group).connectTimeout(TimeAmount(timeout)).connect(host: proxy.host, port: proxy.port) {
        channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(handler(tls)) }
          return try Pipe(wrappingChannelSynchronously: channel)
        }
      }
    } catch {
      throw Fault(.unavailable, "\(name): \(AttemptFailure.explain(error))", cause: error)
    }
  }

  private func handler(_ tls: NIOSSLContext) throws -> NIOSSLClientHandler {
    let host = proxy.host
    return try ._makeSSLClientHandler(context: tls, serverHostname: IPAddress(host) == nil ? host : nil) { certificate, channel in
      channel.eventLoop.makeCompletedFuture { try WrongPeer.check(certificate, host) }
    }
  }

  /// Closes the connection where whoever is at its other end takes too long.
  func alarm(for channel: any Channel) -> Scheduled<Void> {
    channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
      channel.pipeline.fireErrorCaught(TimeLimitExceeded(limit: timeout))
      channel.close(promise: nil)
    }
  }

  func request(_ target: TunnelTarget) -> ByteBuffer {
    let authorization = proxy.basic.map { "Proxy-Authorization: Basic \($0)\r\n" } ?? ""
    return ByteBuffer(
      string: "CONNECT \(target.text) HTTP/1.1\r\nHost: \(target.text)\r\nUser-Agent: \(Exchange.userAgent)\r\n\(authorization)\r\n")
  }

  func check(_ answer: MessageHead, _ target: TunnelTarget) throws(Fault) {
    guard let status = answer.status else {
      throw Fault(.unavailable, "\(name): CONNECT \(target.text): \(MessageHead.Unreadable.foreign)")
    }
    if (200..<300).contains(status) { return }
    let reason = status == 407 ? "it wants other credentials (407)" : Excerpt.of(String(answer.firstLine.dropFirst(9)), limit: 100)
    throw Fault((400..<500).contains(status) ? .failedPrecondition : .unavailable, "\(name): CONNECT \(target.text): \(reason)")
  }

  /// UNAVAILABLE for what may pass.
  func fault(_ error: any Error, _ target: TunnelTarget) async -> Fault {
    if let fault = error as? Fault { return fault }
    if let error = error as? WrongPeer { return Fault(.failedPrecondition, "\(name): TLS: \(error)", cause: error) }
    let address = WebAddress(scheme: .https, authority: TunnelTarget(host: proxy.host, port: proxy.port).text, path: "/")
    if AttemptFailure.isUntrusted(error), let found = await CertificateDiagnosis.of(address, on: group, within: timeout) {
      return Fault(.failedPrecondition, "\(name): TLS: \(found.reason)", cause: error)
    }
    return Fault(.unavailable, "\(name): CONNECT \(target.text): \(AttemptFailure.explain(error))", cause: error)
  }
}
