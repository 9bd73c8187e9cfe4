import ArgumentParser
import Linux
import NIOCore
import NIOSSL
import Settings

/// For every command that comes to the streaming server.
struct TrustOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Trust servers of this authority. Default: the certificate of berthd's configuration.", valueName: "path"))
  var tlsCa: String?
  @Option(help: ArgumentHelp("Our certificate, where the streaming server asks for one.", valueName: "path")) var tlsCert: String?
  @Option(help: ArgumentHelp("Its key.", valueName: "path")) var tlsKey: String?

  func validate() throws {
    if (tlsCert == nil) != (tlsKey == nil) { throw ValidationError("--tls-cert and --tls-key go together") }
  }

  var trust: StreamTrust { StreamTrust(authority: tlsCa, certificate: tlsCert, key: tlsKey) }
}

/// How the streaming server's certificate is checked, where it serves TLS, and who we are to it.
struct StreamTrust: Sendable {
  /// Paths of PEM files.
  var authority: String?
  var certificate: String?
  var key: String?

  /// For one connection to `host`.
  func handler(_ host: String) throws -> NIOSSLClientHandler {
    do {
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.applicationProtocols = ["http/1.1"]
      if let certificate, let key {
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
      }
      if let authority {
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
        return try NIOSSLClientHandler(context: try NIOSSLContext(configuration: configuration), serverHostname: nil)
      }
      return try pinned(configuration)
    } catch let failure as Failure { throw failure } catch { throw Failure("TLS to berthd's streaming server at \(host): \(error)") }
  }

  /// The one certificate that this node's berthd is configured with, whoever signed it and whatever names it bears.
  private func pinned(_ configuration: TLSConfiguration) throws -> NIOSSLClientHandler {
    guard let path = try? Configuration.load().streaming.tlsCertificate, let own = try NIOSSLCertificate.fromPEMFile(path).first else {
      throw Failure("the streaming server speaks TLS: say with --tls-ca whom to trust")
    }
    let bytes = try own.toDERBytes()
    return try NIOSSLClientHandler(
      context: try NIOSSLContext(configuration: configuration), serverHostname: nil,
      customVerificationCallback: { chain, promise in
        promise.succeed((try? chain.first?.toDERBytes()) == bytes ? .certificateVerified : .failed)
      })
  }
}
