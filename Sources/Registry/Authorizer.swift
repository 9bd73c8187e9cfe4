import Core

/// Answers registries that want to know who asks, and remembers how: tokens until they expire, so that a pull asks for one once.
/// Everything is kept per endpoint, repository and credentials: nothing that one requester may do passes to another.
actor Authorizer {
  private struct Requester: Hashable {
    let origin: String
    let repository: String
    let credentials: RegistryCredentials?

    init(_ endpoint: Endpoint) {
      origin = endpoint.origin
      repository = endpoint.repository
      credentials = endpoint.credentials
    }
  }

  private enum Scheme {
    case basic
    case bearer(TokenRequest)
  }

  private static let capacity = 256

  private let tokenEndpoint: TokenEndpoint
  private let clock = ContinuousClock()
  private var schemes: [Requester: Scheme] = [:]
  private var tokens: [TokenRequest: Token] = [:]
  private var running: [TokenRequest: Task<Token, any Error>] = [:]

  init(_ tokenEndpoint: TokenEndpoint) { self.tokenEndpoint = tokenEndpoint }

  /// The `Authorization` to begin with, as far as one is known.
  func known(for endpoint: Endpoint) -> String? {
    if let token = endpoint.credentials?.registryToken, !token.isEmpty { return "Bearer \(token)" }
    switch schemes[Requester(endpoint)] {
    case .basic: return endpoint.credentials?.basic
    case .bearer(let request): return tokens[request].flatMap { $0.expires > clock.now ? $0.authorization : nil }
    case nil: return nil
    }
  }

  /// The `Authorization` that a 401 asks for; `nil` where there is none, or none but what was refused.
  func answer(_ headers: [String], from endpoint: Endpoint, refused: String?) async throws -> String? {
    if endpoint.credentials?.registryToken.isEmpty == false { return nil }
    let challenges = headers.flatMap(Challenge.parse)
    if let bearer = challenges.first(where: { $0.scheme == "bearer" && $0.parameters["realm"] != nil }) {
      return try await token(TokenRequest(bearer, endpoint), endpoint, refused: refused)
    }
    guard challenges.contains(where: { $0.scheme == "basic" }), let basic = endpoint.credentials?.basic, basic != refused else {
      return nil
    }
    remember(.basic, for: endpoint)
    return basic
  }

  private func token(_ request: TokenRequest, _ endpoint: Endpoint, refused: String?) async throws -> String {
    if let known = tokens[request], known.expires > clock.now, known.authorization != refused { return known.authorization }
    let task = running[request] ?? Task { [tokenEndpoint] in try await tokenEndpoint.token(request, for: endpoint) }
    running[request] = task
    defer { if running[request] == task { running[request] = nil } }
    let token = try await task.value
    if tokens.count >= Self.capacity { tokens = tokens.filter { $0.value.expires > clock.now } }
    if tokens.count >= Self.capacity { tokens.removeAll() }
    tokens[request] = token
    remember(.bearer(request), for: endpoint)
    return token.authorization
  }

  private func remember(_ scheme: Scheme, for endpoint: Endpoint) {
    if schemes.count >= Self.capacity { schemes.removeAll() }
    schemes[Requester(endpoint)] = scheme
  }
}
