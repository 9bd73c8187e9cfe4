import AsyncHTTPClient
import Core
import NIOHTTP1
import OCI

/// Uploads into one repository of the first host that takes them.
struct RepositoryPush: RegistryPush {
  /// Stage for errors.
  let name: String
  let exchange: PushExchange
  let policy: TransferPolicy
  /// One writer for each list of referrers.
  let lists: Slots

  private var endpoint: Endpoint { exchange.endpoint }

  func hasBlob(_ digest: Digest) async throws -> Bool {
    try await stage("\(name): blob \(digest)") { try await isThere(endpoint.address("blobs/\(digest)")) }
  }

  private func isThere(_ address: WebAddress) async throws -> Bool {
    try await exchange.retrying(PushRequest(method: .HEAD, address: address), expecting: [200, 404]).status == .ok
  }

  func mount(_ digest: Digest, from repository: String) async throws -> Bool {
    try await stage("\(name): blob \(digest)") {
      let address = endpoint.address("blobs/uploads/").adding("mount", digest.description).adding("from", repository)
      let request = PushRequest(method: .POST, address: address)
      // Whoever may not read there cannot mount from there; the blob is uploaded then.
      let response = try await exchange.retrying(request, expecting: [201, 202, 401, 403, 404, 405])
      if response.status.code == 202, let session = try? exchange.location(response, of: request) {
        _ = try? await exchange.send(PushRequest(method: .DELETE, address: session), expecting: [202, 204])
      }
      return response.status == .created
    }
  }

  func upload(
    _ descriptor: Descriptor, progress: @escaping @Sendable (Int64) -> Void,
    open: @escaping @Sendable (Int64) async throws -> any BlobStream
  ) async throws {
    try await stage("\(name): blob \(descriptor.digest)") {
      let upload = BlobUpload(
        exchange: exchange, descriptor: descriptor, policy: policy, progress: progress, open: open,
        isThere: { try await isThere(endpoint.address("blobs/\(descriptor.digest)")) })
      try await upload.run()
    }
  }

  func hasManifest(_ digest: Digest, at tag: String) async throws -> Bool {
    try await stage("\(name): manifest \(tag)") {
      var request = PushRequest(method: .HEAD, address: endpoint.address("manifests/\(tag)"))
      request.headers = [("Accept", MediaType.manifests.joined(separator: ", "))]
      let response = try await exchange.retrying(request, expecting: [200, 404])
      return response.status == .ok && response.headers.first(name: "Docker-Content-Digest") == digest.description
    }
  }

  func put(_ document: ManifestDocument, at tag: String) async throws {
    try await stage("\(name): manifest \(tag)") {
      var request = PushRequest(method: .PUT, address: endpoint.address("manifests/\(tag)"))
      request.headers = [("Content-Type", document.mediaType)]
      request.body = .bytes(document.bytes)
      let response = try await exchange.retrying(request, expecting: [201])
      if let stored = response.headers.first(name: "Docker-Content-Digest"), stored != document.digest.description {
        throw Fault(.dataLoss, "the registry stored it as \(Excerpt.of(stored)), not as \(document.digest)")
      }
      // Whoever lists referrers by themselves says so.
      guard let referrer = Referrer(document), response.headers.first(name: "OCI-Subject") == nil else { return }
      try await enter(referrer)
    }
  }

  func list(_ document: ManifestDocument) async throws {
    guard let referrer = Referrer(document) else { return }
    try await stage("\(name): manifest \(document.digest)") {
      let request = PushRequest(method: .GET, address: endpoint.address(ReferrersFetch.path(of: referrer.subject)))
      let found = try await exchange.retrying(request, expecting: ReferrersFetch.unknown.union([200]))
      if found.status != .ok { try await enter(referrer) }
    }
  }

  private func enter(_ referrer: Referrer) async throws {
    let tag = ReferrersTag(exchange: exchange, policy: policy, referrer: referrer)
    try await lists.with(tag.address.text) { try await tag.update() }
  }
}

extension PushExchange {
  /// Where a session goes on. A registry behind a proxy that ends TLS may call itself http: its own name is never asked that way.
  func location(_ response: HTTPClientResponse, of request: PushRequest) throws(AttemptFailure) -> WebAddress {
    guard let text = response.headers.first(name: "Location"), var next = request.address.resolving(text) else {
      throw AttemptFailure(Fault(.unavailable, "\(request.display): the registry names no place to upload to"))
    }
    if request.address.scheme == .https, next.scheme == .http {
      guard next.authority == request.address.authority else {
        throw AttemptFailure(Fault(.permissionDenied, "\(request.display): leads from https to \(next.display), which is refused"))
      }
      next.scheme = .https
    }
    return next
  }
}
