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
  /// The host was not even asked, because it had asked to be left alone.
  var isHeld = false

  init(_ fault: Fault, isTransient: Bool = false, retryAfter: Duration? = nil) {
    self.fault = fault
    self.isTransient = isTransient
    self.retryAfter = retryAfter
  }

  /// One word, for metrics.
  var reason: String {
    if isHeld { return "held" }
    if retryAfter != nil { return "throttled" }
    return fault.message.contains(": stalled: ") ? "stalled" : fault.code == .unavailable ? "broken" : "\(fault.code)"
  }

  /// A connection that could not be made, or broke.
  init(_ error: any Error, asking address: WebAddress) {
    switch error {
    case let failure as AttemptFailure: self = failure
    case let fault as Fault: self.init(fault)
    case is CancellationError: self.init(Fault(error))
    default: self.init(Self.connection(error, address), isTransient: !Self.isLasting(error))
    }
  }

  private static func connection(_ error: any Error, _ address: WebAddress) -> Fault {
    Fault(.unavailable, "GET \(address.display): \(explain(error))", cause: error)
  }

  /// Certificates do not get better by asking again.
  private static func isLasting(_ error: any Error) -> Bool { error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError }

  /// What a person needs to know of a transport's error.
  static func explain(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError: explain(error)
    case let error as IOError: SystemError(error.errnoCode, call: "connection").description
    case let error as HTTPClientError: explain(error)
    case let error as NIOSSLExtraError: "TLS: \(error.description)"
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

  private static func explain(tls text: String) -> String {
    text.contains("CERTIFICATE_VERIFY_FAILED") ? "TLS: the host's certificate is not signed by a trusted authority" : "TLS: \(text)"
  }
}
