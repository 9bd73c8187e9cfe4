import AsyncHTTPClient
import Core
import NIOCore
import NIOHTTP1
import Synchronization

/// Sends requests of a push with all that belongs to them: authentication, redirects, and who may see which header.
struct PushExchange: Sendable {
  let exchange: Exchange
  let endpoint: Endpoint

  private var policy: TransferPolicy { exchange.policy }

  /// A registry may take its time to put a large blob in its place.
  private static let patience = Duration.seconds(600)

  /// The response, whatever its status, but neither a challenge that can be met nor a redirect.
  func send(_ request: PushRequest) async throws(AttemptFailure) -> HTTPClientResponse {
    try exchange.limits.check(endpoint, request.display)
    do {
      return try await exchange.authenticated(endpoint) { try await follow(request, $0) }
    } catch {
      throw AttemptFailure(error, at: request.display)
    }
  }

  /// As ``send(_:)``; what is not one of `expected` is a failure that says what the registry said.
  func send(_ request: PushRequest, expecting expected: Set<UInt>) async throws(AttemptFailure) -> HTTPClientResponse {
    let response = try await send(request)
    guard expected.contains(response.status.code) else { throw await Refusal(response, within: policy).failure(request.display) }
    if request.method != .HEAD { await exchange.discard(response) }
    return response
  }

  /// The same, over again after failures that pass.
  func retrying(_ request: PushRequest, expecting expected: Set<UInt>) async throws(Fault) -> HTTPClientResponse {
    let backoff = Backoff(base: policy.backoffBase, cap: policy.backoffCap)
    var round = 0
    while true {
      do { return try await send(request, expecting: expected) } catch {
        let pause = max(backoff.pause(round), error.retryAfter ?? .zero)
        round += 1
        guard error.isTransient, round < policy.attempts, (error.retryAfter ?? .zero) <= policy.retryAfterCap, !Task.isCancelled else {
          throw error.fault
        }
        do { try await Task.sleep(for: pause) } catch { throw Fault(error) }
      }
    }
  }

  private func follow(_ request: PushRequest, _ authorization: String?) async throws -> Exchange.Answer {
    var redirects = Redirects(request.address, limit: policy.redirectLimit)
    while true {
      let isOwn = redirects.current.origin == endpoint.origin
      let message = try http(request, redirects.current, isOwn ? authorization : nil, isOwn: isOwn)
      let response = try await execute(message, request, redirects.current, isOwn: isOwn)
      // Only these two keep method and body (RFC 9110 section 15.4).
      guard [307, 308].contains(response.status.code) else { return Exchange.Answer(message: response, isOwn: isOwn) }
      do { try redirects.follow(response.headers.first(name: "Location")) } catch { throw AttemptFailure(error) }
      await exchange.discard(response)
    }
  }

  private func http(_ request: PushRequest, _ address: WebAddress, _ authorization: String?, isOwn: Bool) throws -> HTTPClientRequest {
    var message = HTTPClientRequest(url: address.text)
    message.method = request.method
    message.headers = ["User-Agent": Exchange.userAgent, "Accept": "*/*"]
    for header in request.headers { message.headers.replaceOrAdd(name: header.name, value: header.value) }
    if isOwn { endpoint.host.addHeaders(to: &message.headers) }
    if let authorization { message.headers.replaceOrAdd(name: "Authorization", value: authorization) }
    switch request.body {
    case .none: if request.method != .HEAD, request.method != .GET { message.body = .bytes(ByteBuffer()) }
    case .bytes(let bytes): message.body = .bytes(ByteBuffer(bytes: bytes))
    case .stream: break
    }
    try exchange.connections.secure(&message, to: address, of: endpoint.host, itself: isOwn)
    return message
  }

  private func execute(_ message: HTTPClientRequest, _ request: PushRequest, _ address: WebAddress, isOwn: Bool) async throws
    -> HTTPClientResponse
  {
    try await exchange.send(to: address, of: endpoint, as: "\(request.method.rawValue) \(address.display)") { client in
      let message = isOwn ? message.traced() : message
      guard case .stream(let length, let open) = request.body else {
        return try await client.execute(message, timeout: TimeAmount(policy.responseTimeout))
      }
      return try await upload(message, request, length, open, by: client)
    }
  }

  private func upload(
    _ message: HTTPClientRequest, _ request: PushRequest, _ length: Int64, _ open: @escaping @Sendable () async throws -> any BlobStream,
    by client: HTTPClient
  ) async throws -> HTTPClientResponse {
    let watch = UploadWatch(length: length)
    var watched = message
    let body = UploadBody(length: length, open: open) { count in
      watch.sent(count)
      request.sent(count)
    }
    watched.body = .stream(body, length: .known(length))
    let final = watched
    return try await withThrowingTaskGroup { group in
      group.addTask { try await client.execute(final, timeout: .hours(48)) }
      group.addTask { try await watch.run(request.display, policy, patience: Self.patience) }
      defer { group.cancelAll() }
      guard let response = try await group.next() else { throw CancellationError() }
      return response
    }
  }
}

/// Gives up a connection that takes next to nothing, or never answers after it took all.
private final class UploadWatch: Sendable {
  private let length: Int64
  private let count = Mutex<Int64>(0)

  init(length: Int64) { self.length = length }

  func sent(_ bytes: Int64) { count.withLock { $0 = bytes } }

  /// Never returns.
  func run(_ what: String, _ policy: TransferPolicy, patience: Duration) async throws -> HTTPClientResponse {
    var before: Int64 = 0
    while true {
      let now = count.withLock { $0 }
      if now == length { break }
      try await Task.sleep(for: policy.stallWindow)
      let later = count.withLock { $0 }
      if later < length, later - before < Int64(policy.stallBytes) {
        throw AttemptFailure.stalled(what, bytes: later - before, in: policy.stallWindow)
      }
      before = later
    }
    try await Task.sleep(for: patience)
    throw AttemptFailure(Fault(.unavailable, "\(what): no response \(patience) after the last byte"), isTransient: true)
  }
}
