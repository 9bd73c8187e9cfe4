import AsyncHTTPClient
import Core
import Linux
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One host did not answer as it should: what to say, and whether asking it again may help.
struct AttemptFailure: Error, Sendable {
  let fault: Fault
  var isTransient = false
  /// How long the host asks to be left alone.
  var retryAfter: Duration?
  var kind = Kind.answered

  enum Kind: Sendable {
    /// What it did is what ``fault`` says.
    case answered
    /// The host was not even asked, because it had asked to be left alone.
    case held
    /// Next to nothing came.
    case stalled
  }

  init(_ fault: Fault, isTransient: Bool = false, retryAfter: Duration? = nil) {
    self.fault = fault
    self.isTransient = isTransient
    self.retryAfter = retryAfter
  }

  /// One word, for metrics.
  var reason: String {
    switch kind {
    case .held: "held"
    case .stalled: "stalled"
    case .answered: retryAfter != nil ? "throttled" : fault.code == .unavailable ? "broken" : "\(fault.code)"
    }
  }

  static func stalled(_ place: String, bytes: Int64, in window: Duration) -> AttemptFailure {
    var failure = AttemptFailure(Fault(.unavailable, "\(place): stalled: \(bytes) bytes in \(window)"), isTransient: true)
    failure.kind = .stalled
    return failure
  }

  init(_ error: any Error, asking address: WebAddress) { self.init(error, at: "GET \(address.display)") }

  /// A connection that could not be made, or broke.
  /// - Parameter place: the request, for messages.
  init(_ error: any Error, at place: String) {
    switch error {
    case let failure as AttemptFailure: self = failure
    case let fault as Fault: self.init(fault)
    case is CancellationError: self.init(Fault(error))
    default: self.init(Self.connection(error, place), isTransient: !Self.isLasting(error))
    }
  }

  private static func connection(_ error: any Error, _ place: String) -> Fault {
    Fault(.unavailable, "\(place): \(explain(error))", cause: isLasting(error) ? UntrustedHost(error) : error)
  }

  /// Certificates do not get better by asking again.
  private static func isLasting(_ error: any Error) -> Bool {
    error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError || error is WrongPeer
  }

  /// What a person needs to know of a transport's error.
  static func explain(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError: explain(error)
    case let error as IOError: SystemError(error.errnoCode, call: "connection").description
    case let error as HTTPClientError: explain(error)
    case let error as NIOSSLExtraError: "TLS: \(error.description)"
    case let error as WrongPeer: "TLS: \(error)"
    case is NIOSSLError, is BoringSSLError: explain(tls: String(describing: error))
    case let error as HTTPParserError: explain(error)
    default: String(describing: error)
    }
  }

  private static func explain(_ error: NIOConnectionError) -> String {
    if let failure = error.connectionErrors.first {
      let reason = (failure.error as? IOError).map { SystemError($0.errnoCode, call: "").description.dropFirst(2) }
      return "connect \(error.host):\(error.port): \(reason.map(String.init) ?? String(describing: failure.error))"
    }
    return "look up \(error.host): \((error.dnsAError ?? error.dnsAAAAError).map { String(describing: $0) } ?? "no address")"
  }

  private static func explain(_ error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout: "the connection could not be made in time"
    case .tlsHandshakeTimeout: "TLS: no handshake in time"
    case .deadlineExceeded: "no response in time"
    case .proxyAuthenticationRequired: "the proxy wants other credentials (407)"
    case .invalidProxyResponse: "the proxy refused the connection, or is none"
    case .httpProxyHandshakeTimeout, .socksHandshakeTimeout: "the proxy made no connection in time"
    case .remoteConnectionClosed: "the connection was closed before the end of the response"
    default: String(describing: error)
    }
  }

  private static func explain(_ error: HTTPParserError) -> String {
    error == .invalidEOFState ? "the connection was closed before the end of the response" : "the response is not HTTP: \(error)"
  }

  /// The peer's certificate is not one to trust, for whatever reason.
  static func isUntrusted(_ error: any Error) -> Bool {
    switch error {
    case let error as NIOSSLExtraError: error == .failedToValidateHostname
    case is NIOSSLError, is BoringSSLError: String(describing: error).contains("CERTIFICATE_VERIFY_FAILED")
    default: false
    }
  }

  /// Words of the TLS library, and what they come from.
  private static let troubles = [
    ("CERTIFICATE_VERIFY_FAILED", "the host's certificate is not signed by a trusted authority"),
    ("ALERT_BAD_CERTIFICATE", noClient), ("CERTIFICATE_REQUIRED", noClient), ("ALERT_UNKNOWN_CA", noClient),
    ("ALERT_CERTIFICATE", noClient), ("WRONG_VERSION_NUMBER", "what answers there does not speak TLS"),
    ("ALERT_PROTOCOL_VERSION", "there is no version of TLS that both sides know"),
  ]
  private static let noClient = "the host wants a client's certificate that it trusts (client in its hosts.toml)"

  private static func explain(tls text: String) -> String {
    "TLS: " + (troubles.first { text.contains($0.0) }?.1 ?? text)
  }
}
