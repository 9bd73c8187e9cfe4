import AsyncHTTPClient
import Core
import NIOHTTP1
import OCI

/// Enters a manifest into the list under its subject's tag (OCI distribution specification 1.1, "Pushing Manifests with Subject"). Others may do the
/// same at the same time: writing is conditional where the registry knows how, and what was written is looked at again.
struct ReferrersTag: Sendable {
  let exchange: PushExchange
  let policy: TransferPolicy
  let referrer: Referrer

  var address: WebAddress { exchange.endpoint.address("manifests/\(ReferrersFetch.tag(of: referrer.subject))") }

  private struct Found {
    var index = ReferrersIndex()
    /// `nil` where there is none yet.
    var entityTag: String?
    var isThere = false
  }

  func update() async throws {
    let backoff = Backoff(base: policy.backoffBase, cap: policy.backoffCap)
    var last: AttemptFailure?
    for round in 0..<policy.resumes {
      // To write once and look whether it is there takes two rounds.
      if round > 1 || last != nil { try await Task.sleep(for: max(backoff.pause(round), last?.retryAfter ?? .zero)) }
      do {
        if try await isListed() { return }
        last = nil
      } catch let failure as AttemptFailure {
        guard failure.isTransient, (failure.retryAfter ?? .zero) <= policy.retryAfterCap else { throw failure.fault }
        last = failure
      }
    }
    throw last?.fault ?? Fault(.aborted, "\(address.display): others change the list of its subject's referrers all the time")
  }

  /// Where it is not, writes it.
  private func isListed() async throws -> Bool {
    var found = try await read()
    if found.index.contains(referrer.digest) { return true }
    found.index.add(referrer)
    try await write(found)
    return false
  }

  private func read() async throws -> Found {
    var request = PushRequest(method: .GET, address: address)
    // All types: docker-registry says that there is nothing (404) where it has what was not asked for.
    request.headers = [("Accept", MediaType.manifests.joined(separator: ", "))]
    let place = request.display
    let response = try await exchange.send(request)
    if response.status == .notFound {
      await exchange.exchange.discard(response)
      return Found()
    }
    guard response.status == .ok else { throw await Refusal(response, within: policy).failure(place) }
    let bytes = try await limited(to: policy.documentTimeout) { try await response.document(upTo: policy.documentLimit, place) }
    let index = try ReferrersIndex(parsing: bytes, mediaType: response.headers.first(name: "Content-Type") ?? "")
    return Found(index: index, entityTag: response.strongTag, isThere: true)
  }

  /// Changes nothing where somebody else has written since it was read, as far as the registry looks.
  private func write(_ found: Found) async throws {
    var request = PushRequest(method: .PUT, address: address)
    request.headers = [("Content-Type", MediaType.ociIndex)]
    if let tag = found.entityTag { request.headers.append(("If-Match", tag)) }
    if !found.isThere { request.headers.append(("If-None-Match", "*")) }
    request.body = .bytes(found.index.bytes)
    _ = try await exchange.send(request, expecting: [201, 409, 412])
  }
}
