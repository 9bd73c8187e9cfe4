import Core

/// Answers registries that want to know who asks, and remembers how: tokens until they expire, so that a pull asks for one once.
/// Everything is kept per endpoint, repository and identity: nothing that one requester may do passes to another.
actor Authorizer {
  private struct Requester: Hashable {
    let origin: String
    let scopes: [String]
    let identity: Endpoint.Identity

    init(_ endpoint: Endpoint) {
      origin = endpoint.origin
      scopes = endpoint.scopes
      identity = endpoint.identity
    }
  }

  private enum Scheme {
    case basic(String)
    case bearer(TokenRequest)
  }

  private static let capacity = 256

  private let tokenEndpoint: TokenEndpoint
  private let helpers: any CredentialHelpers
  private let clock = ContinuousClock()
  private var schemes: [Requester: Scheme] = [:]
  private var tokens: [TokenRequest: Token] = [:]
  private var running: [TokenRequest: Task<Token, any Error>] = [:]

  init(_ tokenEndpoint: TokenEndpoint, _ helpers: any CredentialHelpers) {
    self.tokenEndpoint = tokenEndpoint
    self.helpers = helpers
  }

  /// The `Authorization` to begin with, as far as one is known.
  func known(for endpoint: Endpoint) -> String? {
    if let token = endpoint.identity.registryToken { return "Bearer \(token)" }
    switch schemes[Requester(endpoint)] {
    case .basic(let authorization): return authorization
    case .bearer(let request): return tokens[request].flatMap { $0.expires > clock.now ? $0.authorization : nil }
    case nil: return nil
    }
  }

  /// The `Authorization` that a 401 asks for; `nil` where there is none, or none but what was refused.
  func answer(_ headers: [String], from endpoint: Endpoint, refused: String?) async throws -> String? {
    if endpoint.identity.registryToken != nil { return nil }
    let challenges = headers.flatMap(Challenge.parse)
    if let bearer = challenges.first(where: { $0.scheme == "bearer" && $0.parameters["realm"] != nil }) {
      return try await bearerToken(bearer, endpoint, refused)
    }
    guard challenges.contains(where: { $0.scheme == "basic" }) else { return nil }
    return try await basic(endpoint, refused)
  }

  private func basic(_ endpoint: Endpoint, _ refused: String?) async throws -> String? {
    var credentials = try await credentials(of: endpoint)
    if let refusedOnes = credentials, refusedOnes.basic == refused { credentials = try await replacement(of: refusedOnes, endpoint) }
    guard let basic = credentials?.basic, basic != refused else { return nil }
    remember(.basic(basic), for: endpoint)
    return basic
  }

  private func bearerToken(_ challenge: Challenge, _ endpoint: Endpoint, _ refused: String?) async throws -> String? {
    let credentials = try await credentials(of: endpoint)
    if let token = credentials?.registryToken, !token.isEmpty {
      return refused == "Bearer \(token)" ? nil : "Bearer \(token)"
    }
    do { return try await token(TokenRequest(challenge, endpoint, credentials), endpoint, refused: refused) } catch {
      guard let credentials, let next = try await replacement(of: credentials, endpoint), next != credentials else { throw error }
      return try await token(TokenRequest(challenge, endpoint, next), endpoint, refused: refused)
    }
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

/// Who we are, as credentials: asked of a helper only once a registry wants to know.
extension Authorizer {
  private func credentials(of endpoint: Endpoint) async throws -> RegistryCredentials? {
    switch endpoint.identity {
    case .anonymous: return nil
    case .request(let credentials), .node(.credentials(let credentials, _)): return credentials
    case .node(.unusable(let reason)): throw AttemptFailure(Fault(.failedPrecondition, "\(endpoint.origin): \(reason)"))
    case .node(.helper(let helper)):
      do { return try await helpers.credentials(helper) } catch { throw AttemptFailure(Fault(error).within(endpoint.origin)) }
    }
  }

  /// A helper may know better ones by now; `nil` for all others.
  private func replacement(of refused: RegistryCredentials, _ endpoint: Endpoint) async throws -> RegistryCredentials? {
    guard case .node(.helper(let helper)) = endpoint.identity else { return nil }
    helpers.forget(helper, refused)
    return try await credentials(of: endpoint)
  }
}

extension Endpoint.Identity {
  /// Sent as it is, and at once.
  var registryToken: String? {
    switch self {
    case .request(let credentials), .node(.credentials(let credentials, _)):
      credentials.registryToken.isEmpty ? nil : credentials.registryToken
    case .anonymous, .node: nil
    }
  }
}
