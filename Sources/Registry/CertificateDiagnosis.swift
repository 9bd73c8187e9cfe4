import AsyncHTTPClient
import Core
import FoundationEssentials
import NIOCore
import NIOPosix
import NIOSSL

/// Why a host's certificate was refused. The TLS library says no more than that it was, so the host is asked once more, and what it shows is looked at.
struct CertificateDiagnosis {
  let host: String
  let certificate: NIOSSLCertificate

  /// `nil` where the host showed none this time.
  static func of(_ address: WebAddress, on group: any EventLoopGroup, within limit: Duration) async -> CertificateDiagnosis? {
    guard let place = HostAndPort(address.authority) else { return nil }
    let host = place.host
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .noHostnameVerification
    guard let context = try? NIOSSLContext(configuration: configuration) else { return nil }
    let found = group.next().makePromise(of: NIOSSLCertificate?.self)
    let name = IPAddress(host) == nil ? host : nil
    let connection = ClientBootstrap(group: group).connectTimeout(TimeAmount(limit)).channelInitializer { channel in
      channel.closeFuture.whenComplete { _ in found.succeed(nil) }
      return channel.eventLoop.makeCompletedFuture {
        let handler = try NIOSSLClientHandler(context: context, serverHostname: name) {
          (certificates: [NIOSSLCertificate], verdict: EventLoopPromise<NIOSSLVerificationResult>) in
          found.succeed(certificates.first)
          verdict.succeed(.failed)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
      }
    }.connect(host: host, port: place.port ?? address.scheme.defaultPort)
    guard let channel = try? await connection.get() else {
      found.succeed(nil)
      return nil
    }
    channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { found.succeed(nil) }
    let certificate = try? await found.futureResult.get()
    try? await channel.close()
    return certificate.map { CertificateDiagnosis(host: host, certificate: $0) }
  }

  var reason: String {
    let now = Int(Date().timeIntervalSince1970)
    if Int(certificate.notValidAfter) < now { return "the host's certificate expired on \(Self.day(certificate.notValidAfter))" }
    if Int(certificate.notValidBefore) > now { return "the host's certificate is not valid before \(Self.day(certificate.notValidBefore))" }
    do throws(WrongPeer) { try WrongPeer.check(certificate, host) } catch { return error.description }
    return "the host's certificate is not signed by a trusted authority"
  }

  private static func day(_ time: Int) -> String {
    Date(timeIntervalSince1970: Double(time)).formatted(.iso8601.year().month().day())
  }
}

extension Connections {
  /// A connection's failure, with what a proxy said, or what is wrong with the host's certificate.
  /// - Parameter place: the request, for messages.
  func explain(_ error: any Error, asking address: WebAddress, of host: RegistryHost, at place: String) async -> AttemptFailure {
    if error is HTTPClientError, let fault = await failure(of: host, to: address) {
      return AttemptFailure(Fault(fault.code, "\(place): \(fault.message)", cause: fault.cause), isTransient: fault.code == .unavailable)
    }
    let isDirect = (try? proxies.proxy(for: address)) == .some(nil)
    guard AttemptFailure.isUntrusted(error), isDirect, let found = await CertificateDiagnosis.of(address, on: group, within: dialTimeout)
    else {
      return AttemptFailure(error, at: place)
    }
    return AttemptFailure(Fault(.unavailable, "\(place): TLS: \(found.reason)", cause: UntrustedHost(error)))
  }
}
