import AsyncHTTPClient
import Core
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Fetches bearer tokens: with GET and the user's password if there is one, with POST for a refresh token.
struct TokenEndpoint: Sendable {
  static let answerLimit = 1 << 20

  let connections: Connections
  let policy: TransferPolicy

  func token(_ request: TokenRequest, for endpoint: Endpoint) async throws -> Token {
    let realm = try realm(request, endpoint)
    do {
      let connection = try await connection(to: realm, endpoint)
      let bytes = try await limited(to: policy.documentTimeout) { try await answer(httpRequests(request, realm), realm, connection) }
      guard let token = try? JSONDecoder().decode(TokenAnswer.self, from: Data(bytes)).token(at: .now) else {
        throw AttemptFailure(Fault(.unavailable, "token endpoint \(realm.display): the answer has no token"))
      }
      return token
    } catch {
      throw AttemptFailure(error, at: "token endpoint \(realm.display)")
    }
  }

  /// An endpoint reached by TLS must not have its users' passwords sent in the clear.
  private func realm(_ request: TokenRequest, _ endpoint: Endpoint) throws(AttemptFailure) -> WebAddress {
    guard let realm = WebAddress(request.realm) else {
      throw AttemptFailure(
        Fault(.unauthenticated, "\(endpoint.origin): its token endpoint is no http address: \(Excerpt.of(request.realm))"))
    }
    guard realm.scheme == .https || endpoint.host.scheme == .http else {
      throw AttemptFailure(Fault(.unauthenticated, "\(endpoint.origin): its token endpoint \(realm.display) is not https"))
    }
    return realm
  }

  /// What to try, in order: a refresh token is exchanged by POST (OAuth2), a password is shown with GET, and by POST where there is no GET.
  private func httpRequests(_ request: TokenRequest, _ realm: WebAddress) -> [HTTPClientRequest] {
    guard let credentials = request.credentials, !credentials.isEmpty else { return [get(request, realm)] }
    if !credentials.identityToken.isEmpty {
      return [post(request, realm, [("grant_type", "refresh_token"), ("refresh_token", credentials.identityToken)])]
    }
    let password = [("grant_type", "password"), ("username", credentials.username), ("password", credentials.password)]
    return [get(request, realm), post(request, realm, password)]
  }

  private func get(_ request: TokenRequest, _ realm: WebAddress) -> HTTPClientRequest {
    var address = realm
    if let service = request.service { address = address.adding("service", service) }
    for scope in request.scopes { address = address.adding("scope", scope) }
    if let user = request.credentials?.username, !user.isEmpty { address = address.adding("account", user) }
    var http = HTTPClientRequest(url: address.text)
    if let basic = request.credentials?.basic { http.headers.add(name: "Authorization", value: basic) }
    return http
  }

  private func post(_ request: TokenRequest, _ realm: WebAddress, _ grant: [(String, String)]) -> HTTPClientRequest {
    let form =
      grant.prefix(1) + [
        ("service", request.service ?? realm.authority), ("client_id", "berth"), ("scope", request.scopes.joined(separator: " ")),
      ] + grant.dropFirst()
    var http = HTTPClientRequest(url: realm.text)
    http.method = .POST
    http.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
    let body = form.map { "\($0)=\(WebAddress.component($1))" }.joined(separator: "&")
    http.body = .bytes(ByteBuffer(string: body))
    return http
  }

  /// The endpoint's own TLS settings where it serves its tokens itself, only its authorities otherwise.
  private func connection(to realm: WebAddress, _ endpoint: Endpoint) async throws
    -> @Sendable (HTTPClientRequest) async throws -> HTTPClientResponse
  {
    let client = try await connections.client(for: endpoint.host, to: realm)
    return { [connections, policy] request in
      var request = request
      try connections.secure(&request, to: realm, of: endpoint.host, itself: realm.origin == endpoint.origin)
      do { return try await client.execute(request, timeout: TimeAmount(policy.responseTimeout)) } catch {
        throw await connections.explain(error, asking: realm, of: endpoint.host, at: "token endpoint \(realm.display)")
      }
    }
  }

  private func answer(
    _ requests: [HTTPClientRequest], _ realm: WebAddress, _ send: @Sendable (HTTPClientRequest) async throws -> HTTPClientResponse
  ) async throws -> [UInt8] {
    var requests = requests[...]
    while true {
      var request = requests.removeFirst()
      request.headers.add(name: "User-Agent", value: Exchange.userAgent)
      request.headers.add(name: "Accept", value: "application/json")
      let response = try await send(request)
      if response.status == .ok { return Array(buffer: try await response.body.collect(upTo: Self.answerLimit)) }
      let refusal = await Refusal(response, within: policy)
      guard [.notFound, .methodNotAllowed].contains(response.status), !requests.isEmpty else {
        throw refusal.failure("token endpoint \(realm.display)")
      }
    }
  }
}
