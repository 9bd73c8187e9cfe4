import Core
import Linux
import Logging
import Synchronization

/// What all connections of a server share.
final class ServerCore: Sendable {
  let limits: ServerLimits
  let logger: Logger
  let connections: Connections
  let work = WorkCount()
  let dialer = LoopbackDialer()
  private let tokens: Mutex<TokenTable>

  init(_ limits: ServerLimits, logger: Logger) {
    self.limits = limits
    self.logger = logger
    connections = Connections(strangers: limits.strangers)
    tokens = Mutex(TokenTable(limit: limits.tokens, lifetime: limits.tokenTime))
  }

  /// From now on no URL is given out, and those that were are good for nothing.
  func refuseRequests() { tokens.withLock { $0.close() } }

  func add(_ request: StreamRequest) throws -> (kind: SessionKind, token: String) { try tokens.withLock { try $0.add(request) } }

  /// Who knows no token learns nothing else. With the session's span, which ends with it. A token is used up only by a request that can be served.
  func admit(_ head: RequestHead) throws(HTTPRefusal) -> (Upgrade, StreamRequest, Span?) {
    let (kind, token) = try Negotiation.route(head)
    guard tokens.withLock({ $0.find(kind, token) }) != nil else { throw HTTPRefusal(.notFound, "not found") }
    let upgrade = try Negotiation.upgrade(head, for: kind)
    guard let session = tokens.withLock({ $0.take(kind, token) }) else { throw HTTPRefusal(.notFound, "not found") }
    return (upgrade, session.request, session.origin?.child("session.\(kind.rawValue)", as: .server))
  }
}
