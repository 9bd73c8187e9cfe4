package import Core
import FoundationEssentials
import Linux
package import Logging
package import OCI
import Synchronization

/// The images of a namespace: in memory for every read, durable before a pull answers. A record exists only for an image that is whole.
package final class ImageIndex: Sendable {
  private let records = Mutex<[Digest: ImageRecord]>([:])
  private let writes = KeyedLock<Digest>()
  private let store: any RecordStore
  private let logger: Logger
  let namespace: String
  /// What those who listen know, and where they do.
  private let told = Mutex(ToldImageNames())
  private let exchange: EventExchange

  package init(
    store: any RecordStore, namespace: String = ImageNamespaces.standard, exchange: EventExchange = EventExchange(), logger: Logger
  ) {
    self.store = store
    self.namespace = namespace
    self.exchange = exchange
    self.logger = logger
  }

  /// Takes the stored records that `isWhole` agrees to; the others are deleted, with a log line.
  package func load(_ isWhole: (ImageRecord) -> Bool) throws {
    for stored in try store.load(.images) where ImageNamespaces.namespace(ofRecord: stored.id) == namespace {
      let record = try? JSONDecoder().decode(ImageRecord.self, from: Data(stored.json))
      if let record, isWhole(record) {
        records.withLock { $0[record.id] = record }
        told.withLock { told in _ = told.update(record.id, to: record) { _ in false } }
      } else {
        logger.error("image \(stored.id): incomplete or damaged, forgotten; pull it again")
        try store.delete(.images, id: stored.id)
      }
    }
  }

  package func list() -> [ImageRecord] { records.withLock { Array($0.values) } }

  package func image(_ id: Digest) -> ImageRecord? { records.withLock { $0[id] } }

  /// By image ID (with or without `sha256:`, or a prefix of it that fits only one), tag or repository digest. `nil` where there is none.
  package func find(_ text: String) throws -> ImageRecord? {
    let records = records.withLock { $0 }
    if let id = Digest(text) ?? Digest("sha256:" + text) { return records[id] }
    if let record = Self.byPrefix(text, records) { return record }
    let reference = try stage("image \"\(text.prefix(300))\"") {
      do { return try ImageReference(parsing: text) } catch { throw Fault(.invalidArgument, "\(error)") }
    }
    if let digest = reference.digest {
      let name = reference.repoDigest(with: digest)
      return records.values.first { $0.digests.contains(name) }
    }
    return reference.repoTag.flatMap { name in records.values.first { $0.tags.contains(name) } }
  }

  /// At least 7 digits, as `docker images` prints at least 12.
  private static func byPrefix(_ text: String, _ records: [Digest: ImageRecord]) -> ImageRecord? {
    let prefix = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
    guard prefix.utf8.count >= 7, prefix.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
    let fitting = records.values.filter { $0.id.hex.hasPrefix(prefix) }
    return fitting.count == 1 ? fitting[0] : nil
  }

  /// Makes `reference` name the image: joins the record's names with what is known, and takes a tag away from the image that had it.
  /// - Parameter approval: the policy's, where it was asked.
  package func add(_ image: ImageRecord, named reference: ImageReference, _ approval: ImageApproval? = nil) async throws -> ImageRecord {
    try await change(
      image, tag: reference.digest == nil ? reference.repoTag : nil, digest: reference.repoDigest(with: image.target), approval)
  }

  /// Another tag for an image; no registry is known to have it under that name.
  package func tag(_ image: ImageRecord, _ reference: ImageReference) async throws {
    _ = try await change(image, tag: reference.repoTag, digest: nil)
  }

  private func change(_ image: ImageRecord, tag: String?, digest: String?, _ approval: ImageApproval? = nil) async throws -> ImageRecord {
    let changed: [ImageRecord] = records.withLock { records in
      var image = image
      if let known = records[image.id] {
        image.tags = known.tags
        image.digests = known.digests
        image.pinned = known.pinned || image.pinned
        image.annotations = known.annotations
        image.approvals = known.approvals
      }
      if let approval { image.approve(approval) }
      var changed: [ImageRecord] = []
      if let tag {
        for var other in records.values where other.id != image.id && other.tags.contains(tag) {
          other.tags.removeAll { $0 == tag }
          records[other.id] = other
          changed.append(other)
        }
        if !image.tags.contains(tag) { image.tags.append(tag) }
      }
      if let digest, !image.digests.contains(digest) { image.digests.append(digest) }
      records[image.id] = image
      return changed + [image]
    }
    for record in changed { try await write(record.id) }
    return changed[changed.count - 1]
  }

  /// Adds to what is known of an image that is there.
  package func annotate(_ id: Digest, _ annotations: [String: String]) async throws {
    if annotations.isEmpty { return }
    try await update(id) { $0.annotations = ($0.annotations ?? [:]).merging(annotations) { _, new in new } }
  }

  func approve(_ id: Digest, _ approval: ImageApproval) async throws {
    try await update(id) { $0.approve(approval) }
  }

  /// Of an image that is not there nothing is kept.
  private func update(_ id: Digest, _ change: (inout ImageRecord) -> Void) async throws {
    let isKnown = records.withLock { records -> Bool in
      guard var image = records[id] else { return false }
      change(&image)
      records[id] = image
      return true
    }
    if isKnown { try await write(id) }
  }

  /// Makes durable what is known of an image by the time its turn comes: an earlier change cannot undo a later one, nor bring back what was removed.
  private func write(_ id: Digest) async throws {
    try await writes.with(id) {
      try await BlockingWork.run { [self] in
        guard let image = image(id) else { return try store.delete(.images, id: recordID(id)) }
        try store.put(.images, StoredRecord(id: recordID(id), json: Array(try JSONEncoder().encode(image))))
        tell(id, image)
      }
    }
  }

  private func recordID(_ id: Digest) -> String { ImageNamespaces.record(of: id, in: namespace) }

  package func remove(_ id: Digest) async throws {
    try await writes.with(id) {
      try await BlockingWork.run { [self] in
        try store.delete(.images, id: recordID(id))
        records.withLock { _ = $0.removeValue(forKey: id) }
        tell(id, nil)
      }
    }
  }

  /// What became durable of an image, in the order of its changes; under its lock.
  private func tell(_ id: Digest, _ record: ImageRecord?) {
    told.withLock { told in
      let wasThere = !told.isEmpty
      let changes = told.update(id, to: record) { name in
        records.withLock { $0.values.contains { $0.id != id && $0.tags.contains(name) } }
      }
      exchange.tellNamespace(namespace, wasThere: wasThere, isThere: wasThere || !told.isEmpty)
      for change in changes { exchange.tell(change, in: namespace) }
      exchange.tellNamespace(namespace, wasThere: wasThere || !told.isEmpty, isThere: !told.isEmpty)
    }
  }
}

extension ImageRecord {
  /// Keeps the latest approvals, one of each name and policy; none of a policy that asks nobody.
  fileprivate mutating func approve(_ approval: ImageApproval) {
    if approval.policy.isEmpty { return }
    let others = (approvals ?? []).filter { $0.name != approval.name || $0.policy != approval.policy }
    approvals = others.suffix(7) + [approval]
  }
}
