import NIOCore
import NIOHTTP1
import NIOSSL

/// Lets no request out to a host that is not the one it is for. The TLS library takes a certificate for the address that it has connected to as well as
/// one for the name it was given: whoever has a certificate for an address could be any name that a resolver leads there, and through a proxy the
/// address is the proxy's. Directly above the HTTP encoder.
///
/// Each request by TLS says whom it is for in a header that never leaves the process; one that does not is refused.
final class PeerCheck: ChannelOutboundHandler {
  typealias OutboundIn = HTTPClientRequestPart
  typealias OutboundOut = HTTPClientRequestPart

  static let header = "Berth-Peer"
  /// As a peer that may be anybody.
  static let anybody = "*"

  private let tls: NIOSSLClientHandler?
  private var refusal: (any Error)?

  /// - Parameter tls: `nil` for a connection in the clear.
  init(_ tls: NIOSSLClientHandler?) { self.tls = tls }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .head(var head) = unwrapOutboundIn(data) else {
      if let refusal { promise?.fail(refusal) } else { context.write(data, promise: promise) }
      return
    }
    let peer = head.headers.first(name: Self.header)
    head.headers.remove(name: Self.header)
    do throws(WrongPeer) { try check(peer) } catch { return refuse(error, context, promise) }
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }

  private func check(_ peer: String?) throws(WrongPeer) {
    guard (peer == nil) == (tls == nil) else { throw WrongPeer(host: peer ?? "", names: []) }
    guard let peer, peer != Self.anybody else { return }
    try WrongPeer.check(tls?.peerCertificate, peer)
  }

  private func refuse(_ error: WrongPeer, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    refusal = error
    promise?.fail(error)
    let channel = context.channel
    // Whoever writes is in the middle of it.
    context.eventLoop.execute {
      channel.pipeline.fireErrorCaught(error)
      channel.close(promise: nil)
    }
  }
}

/// The host at the other end is another one than was asked for.
struct WrongPeer: Error, CustomStringConvertible {
  let host: String
  /// For whom its certificate is.
  let names: [String]

  var description: String {
    "the host's certificate is for \(names.isEmpty ? "nobody" : names.prefix(5).joined(separator: ", ")), not for \(host)"
  }

  static func check(_ certificate: NIOSSLCertificate?, _ host: String) throws(WrongPeer) {
    let names = certificate.map(CertificateNames.init)
    guard names?.contain(host) == true else { throw WrongPeer(host: host, names: names?.display ?? []) }
  }
}
