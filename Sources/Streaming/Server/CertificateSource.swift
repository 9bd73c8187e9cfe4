import Core
import Linux
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The server's certificate, read again when its files have changed. Where the new ones are no good, the old ones stay in use and the log says so.
///
/// The files are looked at for every connection that begins, but never by an event loop, and by one thread at a time: a filesystem that hangs delays
/// a connection for a moment and no more.
final class CertificateSource: Sendable {
  private struct State {
    /// Of the files that the context was made from; a name may lead to another file by now, as with mounted secrets.
    var versions: [Files.Version?]
    var context: NIOSSLContext
    /// Who waits for the look at the files that is under way; nil while there is none.
    var waiting: [EventLoopPromise<NIOSSLContext>]?
  }

  /// So many connections wait for one look at the files; more of them take what is known.
  private static let crowd = 256

  /// How long a connection waits for the look at the files.
  private let patience: TimeAmount
  private let settings: StreamingConfiguration.TLS
  private let logger: Logger
  private let state: Mutex<State>

  init(_ settings: StreamingConfiguration.TLS, patience: TimeAmount = .seconds(2), logger: Logger) throws {
    self.patience = patience
    self.settings = settings
    self.logger = logger
    let versions = Self.versions(settings)
    state = Mutex(State(versions: versions, context: try Self.load(settings)))
  }

  /// Puts the handler into a connection's pipeline, behind TLS where there are certificates.
  static func secure(
    _ channel: any Channel, _ certificates: CertificateSource?, _ handler: @escaping @Sendable () -> any ChannelHandler
  ) -> EventLoopFuture<Void> {
    guard let certificates else {
      return channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler()) }
    }
    return certificates.context(on: channel.eventLoop).flatMapThrowing { context in
      try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: context), handler()])
    }
  }

  /// For a connection that begins now.
  private func context(on loop: any EventLoop) -> EventLoopFuture<NIOSSLContext> {
    let promise = loop.makePromise(of: NIOSSLContext.self)
    let (current, others) = state.withLock { state in
      let others = state.waiting ?? []
      if others.count < Self.crowd { state.waiting = others + [promise] }
      return (state.context, others.count)
    }
    if others == Self.crowd { promise.succeed(current) }
    let deadline = loop.scheduleTask(in: patience) { promise.succeed(current) }
    promise.futureResult.whenComplete { _ in deadline.cancel() }
    if others == 0 { Task { await BlockingWork.run { self.look() } } }
    return promise.futureResult
  }

  private func look() {
    let (old, current) = state.withLock { ($0.versions, $0.context) }
    let versions = Self.versions(settings)
    let context = versions == old ? current : reload() ?? current
    let waiting = state.withLock { state in
      (state.versions, state.context) = (versions, context)
      defer { state.waiting = nil }
      return state.waiting ?? []
    }
    for promise in waiting { promise.succeed(context) }
  }

  private func reload() -> NIOSSLContext? {
    do {
      let context = try Self.load(settings)
      logger.info("streaming: certificate read again", metadata: ["certificate": "\(settings.certificate)"])
      return context
    } catch {
      logger.error("streaming: the changed certificate is not used: \(Fault(error))")
      return nil
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

  private static func versions(_ settings: StreamingConfiguration.TLS) -> [Files.Version?] {
    [settings.certificate, settings.key, settings.clientCA].map { path in path.flatMap { Files.version($0) } }
  }
}
