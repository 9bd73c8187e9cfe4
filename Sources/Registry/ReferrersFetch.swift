import AsyncHTTPClient
package import Core
import NIOHTTP1
package import OCI

/// Asks hosts for the manifests that name another as their subject: by the referrers interface, and where a host has none, by the tag that
/// stands in for it (OCI distribution specification, "Referrers Tag Schema").
struct ReferrersFetch: Sendable {
  let fetch: ManifestFetch
  let reference: ImageReference
  let subject: Digest

  /// Pages of one answer.
  private static let pages = 100

  func run(_ endpoints: [Endpoint]) async throws(Fault) -> [Descriptor] {
    do { return try await fetch.first("referrers", endpoints) { try await ask($0) } } catch {
      // No host knows the interface, nor the tag: there are none.
      if error.code == .notFound { return [] }
      throw error
    }
  }

  private func ask(_ endpoint: Endpoint) async throws -> [Descriptor] {
    if let found = try await listed(endpoint) { return found }
    let tagged = ImageReference(domain: reference.domain, path: reference.path, tag: Self.tag(of: subject), digest: nil)
    let document = try await fetch.ask(endpoint, tagged)
    return try index(document.bytes, document.mediaType, "GET \(endpoint.address("manifests/\(Self.tag(of: subject))").display)")
  }

  /// What hosts answer that have no such interface.
  static let unknown: Set<UInt> = [400, 404, 405, 501]

  static func path(of digest: Digest) -> String { "referrers/\(digest)" }

  /// `sha256-<hex>`, no longer than a tag may be.
  static func tag(of digest: Digest) -> String { "\(digest.algorithm.rawValue.prefix(32))-\(digest.hex.prefix(64))" }

  /// All pages; `nil` where the host has no such interface.
  private func listed(_ endpoint: Endpoint) async throws -> [Descriptor]? {
    var question = Question(path: Self.path(of: subject), accept: MediaType.ociIndex)
    var found: [Descriptor] = []
    for _ in 0..<Self.pages {
      let address = question.address ?? endpoint.address(question.path)
      let place = "GET \(address.display)"
      let asked = question
      let (page, next) = try await limited(to: fetch.policy.documentTimeout) {
        let response = try await fetch.exchange.ask(asked, of: endpoint)
        if asked.address == nil, Self.unknown.contains(response.status.code) {
          await fetch.exchange.discard(response)
          return ([Descriptor]?.none, WebAddress?.none)
        }
        guard response.status == .ok else { throw await Refusal(response, within: fetch.policy).failure(place) }
        let type = response.headers.first(name: "Content-Type") ?? ""
        let next = try Self.next(response.headers["Link"], after: address)
        return (try index(try await response.document(upTo: fetch.policy.documentLimit, place), type, place), next)
      }
      guard let page else { return nil }
      found += page
      guard let next else { return found }
      question.address = next
    }
    throw AttemptFailure(Fault(.resourceExhausted, "GET \(endpoint.address(question.path).display): more than \(Self.pages) pages"))
  }

  private func index(_ bytes: [UInt8], _ mediaType: String, _ place: String) throws -> [Descriptor] {
    do { return try ImageDocument.referrers(bytes, mediaType: mediaType).manifests } catch {
      throw AttemptFailure(Fault(.dataLoss, "\(place): \(error)"))
    }
  }

  /// `<address>; rel="next"` (RFC 8288); of the same host only, which gets our credentials.
  static func next(_ links: [String], after current: WebAddress) throws(AttemptFailure) -> WebAddress? {
    for link in links.flatMap({ $0.split(separator: ",") }) {
      let parts = link.split(separator: ";").map { $0.filter { $0 != " " } }
      guard let target = parts.first, target.hasPrefix("<"), target.hasSuffix(">"),
        parts.dropFirst().contains(where: { $0 == "rel=next" || $0 == "rel=\"next\"" })
      else { continue }
      guard let next = current.resolving(String(target.dropFirst().dropLast())), next.origin == current.origin else {
        throw AttemptFailure(Fault(.dataLoss, "GET \(current.display): its next page is on another host"))
      }
      return next
    }
    return nil
  }
}

extension ImageDocument {
  /// Which an index alone can list.
  static func referrers(_ bytes: [UInt8], mediaType: String) throws(DocumentError) -> Index {
    guard case .index(let index) = try parse(bytes, mediaType: mediaType) else { throw DocumentError("referrers", "it is no index") }
    return index
  }
}

extension RegistryClient: RegistryReferrers {
  package func referrers(
    of reference: ImageReference, type: String?, credentials: RegistryCredentials?
  ) async throws -> (subject: Digest, referrers: [Descriptor]) {
    let subject: Digest
    if let digest = reference.digest { subject = digest } else { subject = try await manifest(reference, credentials: credentials).digest }
    return try await stage("registry \(reference.domain): referrers of \(reference.display)") {
      let fetch = ReferrersFetch(
        fetch: ManifestFetch(exchange: exchange, policy: policy, logger: logger), reference: reference, subject: subject)
      let found = try await fetch.run(try endpoints(reference, .pull, credentials))
      return (subject, found.filter { type == nil || $0.artifactType == type })
    }
  }
}
