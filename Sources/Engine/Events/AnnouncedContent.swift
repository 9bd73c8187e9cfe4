import ContainerdAPI
package import Core
package import OCI
import SwiftProtobuf

/// A content store whose changes are told in containerd's topics, once they are durable.
package struct AnnouncedContent: BlobStore {
  private let base: any BlobStore
  private let exchange: EventExchange
  private let arrivals = Arrivals<Digest>()

  package init(_ base: any BlobStore, _ exchange: EventExchange) {
    self.base = base
    self.exchange = exchange
  }

  package func contains(_ digest: Digest) -> Bool { base.contains(digest) }
  package func read(_ digest: Digest) throws -> [UInt8] { try base.read(digest) }
  package func list() throws -> [Digest] { try base.list() }
  package func size(_ digest: Digest) -> Int64? { base.size(digest) }
  package func open(_ digest: Digest, from offset: Int64) async throws -> any BlobStream { try await base.open(digest, from: offset) }

  package func write(_ bytes: [UInt8], as digest: Digest) async throws {
    try await bring(digest, size: Int64(bytes.count)) { try await base.write(bytes, as: digest) }
  }

  package func remove(_ digest: Digest) throws {
    let isThere = exchange.isWatched && base.size(digest) != nil
    try base.remove(digest)
    if isThere { exchange.tell("/content/delete", Containerd_Events_ContentDelete.with { $0.digest = "\(digest)" }) }
  }

  package func ingest(_ descriptor: Descriptor) async throws -> any BlobIngest {
    AnnouncedIngest(base: try await base.ingest(descriptor), descriptor: descriptor, content: self)
  }

  fileprivate func bring(_ digest: Digest, size: Int64, _ bring: () async throws -> Void) async throws {
    guard exchange.isWatched else { return try await bring() }
    try await arrivals.bring(digest, unless: { base.contains(digest) }, bring) {
      exchange.tell("/content/create", Containerd_Events_ContentCreate.with { ($0.digest, $0.size) = ("\(digest)", size) })
    }
  }
}

private struct AnnouncedIngest: BlobIngest {
  let base: any BlobIngest
  let descriptor: Descriptor
  let content: AnnouncedContent

  func write(_ bytes: [UInt8]) async throws { try await base.write(bytes) }
  func abort() async { await base.abort() }

  func finish() async throws { try await content.bring(descriptor.digest, size: descriptor.size, base.finish) }
}
