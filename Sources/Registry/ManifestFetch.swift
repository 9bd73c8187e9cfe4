import AsyncHTTPClient
import Core
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import OCI

/// Fetches a manifest or index from the first host that gives the right one.
struct ManifestFetch: Sendable {
  let exchange: Exchange
  let policy: TransferPolicy
  let logger: Logger

  func document(_ reference: ImageReference, _ endpoints: [Endpoint]) async throws(Fault) -> ManifestDocument {
    try await first("manifest", endpoints) { try await ask($0, reference) }
  }

  /// The first right answer.
  /// - Parameter what: for the log.
  func first<T: Sendable>(
    _ what: String, _ endpoints: [Endpoint], _ ask: (Endpoint) async throws -> T
  ) async throws(Fault) -> T {
    var walk = HostWalk(hosts: endpoints.count, rounds: policy.attempts, policy: policy)
    while true {
      switch walk.next() {
      case .stop: throw walk.fault
      case .wait(let pause): do { try await Task.sleep(for: pause) } catch { throw Fault(error) }
      case .ask(let index):
        do { return try await ask(endpoints[index]) } catch {
          let failure = AttemptFailure(error, asking: endpoints[index].address(""))
          if failure.fault.code == .cancelled { throw failure.fault }
          logger.debug("\(what) not fetched", metadata: ["host": "\(endpoints[index].origin)", "error": "\(failure.fault)"])
          if failure.isTransient { exchange.metrics.add(.registryRetries, labels: [failure.reason]) }
          walk.failed(failure)
        }
      }
    }
  }

  func ask(_ endpoint: Endpoint, _ reference: ImageReference) async throws(AttemptFailure) -> ManifestDocument {
    let path = "manifests/\(reference.digest.map(String.init(describing:)) ?? reference.tag ?? "latest")"
    let place = "GET \(endpoint.address(path).display)"
    let question = Question(path: path, accept: (MediaType.manifests + ["*/*;q=0.1"]).joined(separator: ", "))
    do {
      return try await limited(to: policy.documentTimeout) {
        let response = try await exchange.ask(question, of: endpoint)
        guard response.status == .ok else { throw await Refusal(response, within: policy).failure(place) }
        let bytes = try await response.document(upTo: policy.documentLimit, place)
        return try check(bytes, response.headers.first(name: "Content-Type") ?? "", reference, place)
      }
    } catch {
      throw AttemptFailure(error, asking: endpoint.address(path))
    }
  }

  private func check(_ bytes: [UInt8], _ contentType: String, _ reference: ImageReference, _ place: String) throws -> ManifestDocument {
    if let wanted = reference.digest {
      let found = Digest.of(bytes, wanted.algorithm)
      guard found == wanted else { throw AttemptFailure(Fault(.dataLoss, "\(place): the content's digest is \(found)")) }
    }
    let mediaType = try ManifestType.of(bytes, served: contentType, place)
    return ManifestDocument(digest: reference.digest ?? .sha256(of: bytes), mediaType: mediaType, bytes: bytes)
  }
}

extension HTTPClientResponse {
  /// All of its body. RESOURCE_EXHAUSTED where that is too much.
  func document(upTo limit: Int, _ place: String) async throws -> [UInt8] {
    do {
      let buffer = try await body.collect(upTo: limit)
      try Task.checkCancellation()
      return Array(buffer: buffer)
    } catch is NIOTooManyBytesError {
      throw AttemptFailure(Fault(.resourceExhausted, "\(place): more than \(limit) bytes"))
    }
  }
}

/// Which kind of document a manifest is: what it says itself and what it is served as must not contradict each other (CVE-2021-41190).
enum ManifestType {
  private struct Outline: Decodable {
    struct Anything: Decodable { init(from decoder: any Decoder) {} }
    let schemaVersion: Int?
    let mediaType: String?
    let manifests: [Anything]?
    let layers: [Anything]?
    let fsLayers: [Anything]?
  }

  static func of(_ bytes: [UInt8], served contentType: String, _ place: String) throws(AttemptFailure) -> String {
    guard let outline = try? JSONDecoder().decode(Outline.self, from: Data(bytes)) else {
      throw AttemptFailure(Fault(.dataLoss, "\(place): not a manifest: it is no JSON object of that shape"))
    }
    let served = MediaType.bare(contentType)
    if MediaType.kind(of: served) == .schema1 || outline.fsLayers != nil || outline.schemaVersion == 1 {
      throw AttemptFailure(
        Fault(
          .unimplemented, "\(place): the image is in Docker's schema 1 format, which is not supported: push it again with a current tool"))
    }
    let own = outline.mediaType.map(MediaType.bare)
    if let own, MediaType.manifests.contains(served), own != served {
      throw AttemptFailure(Fault(.dataLoss, "\(place): served as \(served), but it says that it is \(Excerpt.of(own))"))
    }
    let type =
      own ?? (MediaType.manifests.contains(served) ? served : outline.manifests == nil ? MediaType.ociManifest : MediaType.ociIndex)
    try check(type, outline, place)
    return type
  }

  private static func check(_ type: String, _ outline: Outline, _ place: String) throws(AttemptFailure) {
    let kind = MediaType.kind(of: type)
    guard kind == .index || kind == .manifest else {
      throw AttemptFailure(Fault(.unimplemented, "\(place): not an image but \(Excerpt.of(type))"))
    }
    let fits = kind == .index ? outline.manifests != nil && outline.layers == nil : outline.layers != nil && outline.manifests == nil
    guard fits else { throw AttemptFailure(Fault(.dataLoss, "\(place): its content is not that of \(type)")) }
  }
}
