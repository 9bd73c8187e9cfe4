import Core

/// Sessions that wait for their client, by the random token in their URL. Each is given out once, within a limited time, and their number is bounded.
struct TokenTable {
  private struct Entry {
    let kind: SessionKind
    let request: StreamRequest
    /// The call that asked for it.
    let origin: Span?
    let expires: ContinuousClock.Instant
  }

  private let limit: Int
  private let lifetime: Duration
  private var entries: [String: Entry] = [:]
  /// Oldest first; some may be used already.
  private var order: [String] = []
  private var isClosed = false

  init(limit: Int, lifetime: Duration) {
    self.limit = limit
    self.lifetime = lifetime
  }

  /// A token of 128 random bits.
  mutating func add(_ request: StreamRequest, now: ContinuousClock.Instant = .now) throws -> (kind: SessionKind, token: String) {
    guard !isClosed else { throw Fault(.unavailable, "streaming: the server goes down") }
    expire(now)
    guard entries.count < limit else {
      throw Fault(.resourceExhausted, "streaming: \(limit) sessions wait for their clients already; the oldest expires within \(lifetime)")
    }
    let token = Self.randomToken()
    entries[token] = Entry(kind: request.kind, request: request, origin: .current, expires: now + lifetime)
    order.append(token)
    return (request.kind, token)
  }

  /// The session, which stays; nil where the token is not known or for another kind.
  func find(_ kind: SessionKind, _ token: String, now: ContinuousClock.Instant = .now) -> StreamRequest? {
    guard let entry = entries[token], entry.kind == kind, entry.expires > now else { return nil }
    return entry.request
  }

  /// The session, once, and the call that asked for it.
  mutating func take(_ kind: SessionKind, _ token: String, now: ContinuousClock.Instant = .now) -> (request: StreamRequest, origin: Span?)?
  {
    guard let request = find(kind, token, now: now) else { return nil }
    return (request, entries.removeValue(forKey: token)?.origin)
  }

  /// No sessions any more.
  mutating func close() { (isClosed, entries, order) = (true, [:], []) }

  private mutating func expire(_ now: ContinuousClock.Instant) {
    let count = order.prefix { entries[$0].map { $0.expires <= now } ?? true }.count
    for token in order.prefix(count) { entries[token] = nil }
    order.removeFirst(count)
  }

  private static func randomToken() -> String {
    var generator = SystemRandomNumberGenerator()
    let halves = [generator.next(), generator.next()]
    return halves.map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

extension StreamRequest {
  var kind: SessionKind {
    switch self {
    case .exec: .exec
    case .attach: .attach
    case .portForward: .portForward
    }
  }
}
