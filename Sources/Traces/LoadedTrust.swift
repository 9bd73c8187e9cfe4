import Core
import Linux
import NIOSSL
import Synchronization

/// TLS as files say it, read again when one of them was replaced.
final class LoadedTrust: Sendable {
  private struct Loaded {
    var versions: [Files.Version?]
    var configuration: TLSConfiguration
    /// Made when first asked for.
    var context: NIOSSLContext?
  }

  private let trust: TraceTrust
  /// For ALPN.
  private let protocols: [String]
  private let loaded = Mutex<Loaded?>(nil)

  init(_ trust: TraceTrust, protocols: [String]) {
    self.trust = trust
    self.protocols = protocols
  }

  /// FAILED_PRECONDITION where a file cannot be used.
  func configuration() throws(Fault) -> TLSConfiguration { try current().configuration }

  func context() throws -> NIOSSLContext {
    var current = try current()
    if let context = current.context { return context }
    let context = try NIOSSLContext(configuration: current.configuration)
    current.context = context
    loaded.withLock { [current] in $0 = current }
    return context
  }

  private func current() throws(Fault) -> Loaded {
    let versions = [trust.authorities, trust.certificate, trust.key].map { $0.flatMap(Files.version) }
    if let known = loaded.withLock({ $0 }), known.versions == versions { return known }
    let fresh = Loaded(versions: versions, configuration: try load())
    loaded.withLock { $0 = fresh }
    return fresh
  }

  private func load() throws(Fault) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.applicationProtocols = protocols
    if let file = trust.authorities {
      let authorities = try read("certificate authorities", file) { try NIOSSLCertificate.fromPEMFile(file) }
      configuration.additionalTrustRoots = [.certificates(authorities)]
    }
    if let file = trust.certificate {
      let chain = try read("client certificate", file) { try NIOSSLCertificate.fromPEMFile(file) }
      let keyFile = trust.key ?? file
      configuration.certificateChain = chain.map { .certificate($0) }
      configuration.privateKey = .privateKey(try read("client key", keyFile) { try NIOSSLPrivateKey(file: keyFile, format: .pem) })
    }
    return configuration
  }

  private func read<T>(_ what: String, _ file: String, _ body: () throws -> T) throws(Fault) -> T {
    do { return try body() } catch {
      let reason = Files.exists(file) ? "not usable as PEM (\(error))" : "no such file"
      throw Fault(.failedPrecondition, "tracing: \(what) \(file): \(reason)", cause: error)
    }
  }
}
