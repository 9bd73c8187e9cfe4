import AsyncHTTPClient
import Core
import NIOCore
import NIOHTTP1

/// What is asked of a host, below the repository's path.
struct Question: Sendable {
  /// `manifests/latest`, `blobs/sha256:…`
  var path: String
  /// Instead of the path's: the next page of an answer, of the same host.
  var address: WebAddress?
  var accept = "*/*"
  /// First byte wanted; 0 asks for everything.
  var from: Int64 = 0
  /// Entity tag of what came before it: a server whose content is another by now is to answer with all of it (If-Range, RFC 9110 section 13.1.5).
  var validator: String?
  /// Under which ``UnreadBodies`` keeps what is left of the body when the connection is reset.
  var transfer: Int?
}

/// One GET with all that belongs to it: authentication, redirects, and who may see which header.
struct Exchange: Sendable {
  static let userAgent = "berth"

  let connections: Connections
  let authorizer: Authorizer
  let policy: TransferPolicy
  let warnings: RegistryWarnings
  let limits: HostLimits
  let metrics: Metrics

  /// The response to `question`: whatever its status, but neither a challenge that can be met nor a redirect.
  func ask(_ question: Question, of endpoint: Endpoint) async throws(AttemptFailure) -> HTTPClientResponse {
    let address = question.address ?? endpoint.address(question.path)
    try limits.check(endpoint, "GET \(address.display)")
    do {
      return try await authenticated(endpoint) { try await follow(question, from: address, endpoint, $0) }
    } catch {
      throw AttemptFailure(error, asking: address)
    }
  }

  /// Asks with what authorization is known, and again with what the host wants to see.
  func authenticated(_ endpoint: Endpoint, _ ask: (_ authorization: String?) async throws -> Answer) async throws -> HTTPClientResponse {
    var authorization = await authorizer.known(for: endpoint)
    var response = try await ask(authorization)
    // A remembered authorization may have expired, so there are two tries.
    for _ in 0..<2 where response.isChallenge {
      let challenges = response.message.headers["WWW-Authenticate"]
      guard let next = try await authorizer.answer(challenges, from: endpoint, refused: authorization), next != authorization else { break }
      await discard(response.message)
      authorization = next
      response = try await ask(next)
    }
    if response.isOwn { limits.note(response.message.status.code, retryAfter: response.message.retryAfter, from: endpoint) }
    return response.message
  }

  /// Reads what is left of a small body, so that its connection can be used again.
  func discard(_ response: HTTPClientResponse) async {
    _ = try? await limited(to: .seconds(1)) { try await response.body.collect(upTo: 64 << 10) }
  }

  struct Answer {
    let message: HTTPClientResponse
    let isOwn: Bool
    /// Only the host itself is given credentials; another one that asks for them after a redirect is not.
    var isChallenge: Bool { isOwn && message.status == .unauthorized }
  }

  private func follow(_ question: Question, from start: WebAddress, _ endpoint: Endpoint, _ authorization: String?) async throws -> Answer {
    var redirects = Redirects(start, limit: policy.redirectLimit)
    while true {
      let isOwn = redirects.current.origin == start.origin
      let request = try request(question, redirects.current, endpoint, isOwn ? authorization : nil, isOwn: isOwn)
      let response = try await send(request, redirects.current, endpoint, isOwn: isOwn)
      guard Redirects.isRedirect(response.status.code) else { return Answer(message: response, isOwn: isOwn) }
      do { try redirects.follow(response.headers.first(name: "Location")) } catch { throw AttemptFailure(error) }
      await discard(response)
    }
  }

  private func request(_ question: Question, _ address: WebAddress, _ endpoint: Endpoint, _ authorization: String?, isOwn: Bool) throws
    -> HTTPClientRequest
  {
    var request = HTTPClientRequest(url: address.text)
    request.headers = ["User-Agent": Self.userAgent, "Accept": question.accept, "Accept-Encoding": "identity"]
    if question.from > 0 { request.headers.add(name: "Range", value: "bytes=\(question.from)-") }
    if question.from > 0, let validator = question.validator { request.headers.add(name: "If-Range", value: validator) }
    if let transfer = question.transfer { request.headers.add(name: UnreadBodies.header, value: "\(transfer)") }
    if isOwn { endpoint.host.addHeaders(to: &request.headers) }
    if let authorization { request.headers.replaceOrAdd(name: "Authorization", value: authorization) }
    try connections.secure(&request, to: address, of: endpoint.host, itself: isOwn)
    return request
  }

  private func send(_ request: HTTPClientRequest, _ address: WebAddress, _ endpoint: Endpoint, isOwn: Bool) async throws
    -> HTTPClientResponse
  {
    try await send(to: address, of: endpoint, as: "GET \(address.display)") { client in
      try await client.execute(isOwn ? request.traced() : request, timeout: TimeAmount(policy.responseTimeout))
    }
  }

  /// One request and its response, counted, its warnings noted; what goes wrong on the way is explained.
  /// - Parameter place: the request, for messages.
  func send(
    to address: WebAddress, of endpoint: Endpoint, as place: String, _ execute: (HTTPClient) async throws -> HTTPClientResponse
  ) async throws -> HTTPClientResponse {
    let client = try await connections.client(for: endpoint.host, to: address)
    return try await traced(
      "registry.request",
      [
        "http.request.method": .string(String(place.prefix { $0 != " " })), "url.full": .string(address.display),
        "server.address": .string(address.authority),
      ], as: .client
    ) { try await send(by: client, to: address, of: endpoint, as: place, execute) }
  }

  private func send(
    by client: HTTPClient, to address: WebAddress, of endpoint: Endpoint, as place: String,
    _ execute: (HTTPClient) async throws -> HTTPClientResponse
  ) async throws -> HTTPClientResponse {
    do {
      let response = try await execute(client)
      Span.current?.set(["http.response.status_code": .int(Int64(response.status.code))])
      warnings.note(response, from: address.origin)
      metrics.add(.registryRequests, labels: ["\(response.status.code)"])
      return response
    } catch {
      metrics.add(.registryRequests, labels: ["none"])
      throw await connections.explain(error, asking: address, of: endpoint.host, at: place)
    }
  }
}

extension HTTPClientRequest {
  /// With the span of this request, as containerd's have it; for the registry itself, not for whom it redirects to.
  func traced() -> HTTPClientRequest {
    guard let span = Span.current else { return self }
    var request = self
    for header in span.context.headers { request.headers.replaceOrAdd(name: header.key, value: header.value) }
    return request
  }
}

extension RegistryHost {
  /// Those of its hosts.toml, in place of what is there; one may have several values.
  func addHeaders(to all: inout HTTPHeaders) {
    for header in headers { all.remove(name: header.name) }
    for header in headers { all.add(name: header.name, value: header.value) }
  }
}

extension HTTPClientResponse {
  var retryAfter: Duration? { headers.first(name: "Retry-After").flatMap { RetryAfter.parse($0) } }

  /// What tells this content from another for sure; `nil` without one.
  var strongTag: String? {
    guard let tag = headers.first(name: "ETag"), tag.hasPrefix("\""), tag.utf8.count >= 3, tag.utf8.count < 300 else { return nil }
    return tag
  }
}
