import Core
import Linux
import Logging
import NIOSSL
import Synchronization

/// The server's certificate, read again when its files have changed. Where the new ones are no good, the old ones stay in use and the log says so.
final class CertificateSource: Sendable {
  private struct State {
    /// What was in the files.
    var stamp: [[UInt8]?]
    var context: NIOSSLContext
  }

  private let settings: StreamingConfiguration.TLS
  private let logger: Logger
  private let state: Mutex<State>

  init(_ settings: StreamingConfiguration.TLS, logger: Logger) throws {
    self.settings = settings
    self.logger = logger
    let stamp = Self.stamp(settings)
    state = Mutex(State(stamp: stamp, context: try Self.load(settings)))
  }

  /// For a connection that begins now.
  func context() -> NIOSSLContext {
    let stamp = Self.stamp(settings)
    return state.withLock { state in
      guard stamp != state.stamp else { return state.context }
      state.stamp = stamp
      do {
        state.context = try Self.load(settings)
        logger.info("streaming: certificate read again", metadata: ["certificate": "\(settings.certificate)"])
      } catch { logger.error("streaming: the changed certificate is not used: \(Fault(error))") }
      return state.context
    }
  }

  private static func load(_ settings: StreamingConfiguration.TLS) throws -> NIOSSLContext {
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(settings.certificate).map { NIOSSLCertificateSource.certificate($0) }
      let key = try NIOSSLPrivateKey(file: settings.key, format: .pem)
      var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
      configuration.minimumTLSVersion = settings.minimumVersion == .v13 ? .tlsv13 : .tlsv12
      configuration.applicationProtocols = ["http/1.1"]
      if let authority = settings.clientCA {
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
        configuration.certificateVerification = .noHostnameVerification
      }
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw Fault(.failedPrecondition, "TLS with \(settings.certificate) and \(settings.key): \(error)")
    }
  }

  /// Contents tell more than times do, and follow the symlinks of mounted secrets.
  private static func stamp(_ settings: StreamingConfiguration.TLS) -> [[UInt8]?] {
    [settings.certificate, settings.key, settings.clientCA].map { path in path.flatMap { try? Files.read($0) } }
  }
}
