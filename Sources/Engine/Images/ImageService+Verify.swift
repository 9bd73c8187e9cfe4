package import Core
import Logging
import OCI

extension ImageService {
  /// Compares images with what was written when they were pulled, and calls `report` with each. A layer of several images is read once.
  /// - Parameters:
  ///   - names: empty for all images. NOT_FOUND where one is not here.
  ///   - credentials: for repairs; `nil` where nothing is to be repaired.
  package func verify(_ names: [String], repairing credentials: RegistryCredentials??, _ report: (ImageVerdict) async throws -> Void)
    async throws
  {
    let records = names.isEmpty ? index.list().sorted { $0.id.hex < $1.id.hex } : try names.map { try named($0) }
    var known: [LayerID: LayerVerdict] = [:]
    var blobs: [Digest: BlobVerdict?] = [:]
    for record in records {
      garbage.hold(record.layers)
      defer { garbage.release(record.layers) }
      var verdict = try await verdict(on: record, &known)
      verdict.blobs = await keptBlobs(of: record, &blobs)
      if !verdict.isWhole, let credentials { await ImageRepair(service: self, credentials: credentials).run(&verdict) }
      for layer in verdict.layers { known[layer.id] = layer }
      for blob in record.blobs ?? [] where blobs[blob] != nil { blobs[blob] = .some(verdict.blobs.first { $0.digest == blob }) }
      try await report(verdict)
    }
  }

  private func verdict(on record: ImageRecord, _ known: inout [LayerID: LayerVerdict]) async throws -> ImageVerdict {
    var verdict = ImageVerdict(image: record)
    for digest in Set([record.id, record.manifest]) {
      do { _ = try content.read(digest) } catch { verdict.findings.append("\(Fault(error))") }
    }
    for id in record.layers {
      if known[id] == nil { known[id] = await self.verdict(on: id) }
      verdict.layers += [known[id]].compactMap { $0 }
    }
    return verdict
  }

  /// Those that are not whole. Where the daemon keeps blobs, one that is missing is not whole; otherwise what there is counts.
  private func keptBlobs(of record: ImageRecord, _ known: inout [Digest: BlobVerdict?]) async -> [BlobVerdict] {
    if record.artifactType != nil { return [] }
    var found: [BlobVerdict] = []
    for digest in Set(record.blobs ?? []).sorted(by: { $0.hex < $1.hex }) {
      let verdict: BlobVerdict?
      if let seen = known[digest] { verdict = seen } else { verdict = await keptBlob(digest) }
      known[digest] = .some(verdict)
      if let verdict { found.append(verdict) }
    }
    return found
  }

  private func keptBlob(_ digest: Digest) async -> BlobVerdict? {
    if !keepsBlobs, !content.contains(digest) { return nil }
    do {
      let stream = try await content.open(digest, from: 0)
      while try await stream.next() != nil {}
      return nil
    } catch {
      return BlobVerdict(digest: digest, finding: Fault(error).message)
    }
  }

  /// What cannot be read is a finding.
  private func verdict(on id: LayerID) async -> LayerVerdict {
    do { return LayerVerdict(id: id, findings: try await layers.verify(id)) } catch {
      return LayerVerdict(id: id, findings: ["\(Fault(error))"])
    }
  }
}

/// Fetches what is damaged of an image once more, and nothing else. The manifest is asked for first, as in any pull: whoever may not have it
/// repairs nothing.
struct ImageRepair: Sendable {
  let service: ImageService
  let credentials: RegistryCredentials?

  func run(_ verdict: inout ImageVerdict) async {
    let pull: ImagePull
    let documents: ImagePull.Documents
    do {
      pull = try self.pull(of: verdict.image)
      if !verdict.findings.isEmpty { try forget(verdict.image) }
      documents = try await service.garbage.holding {
        let documents = try await pull.documents()
        try await pull.keep(documents)
        return documents
      }
      guard documents.id == verdict.image.id, documents.layers.count == verdict.image.layers.count else {
        throw Fault(.dataLoss, "its name leads to another image now")
      }
      verdict.findings = []
    } catch {
      return verdict.fail("\(Fault(error))")
    }
    await repairBlobs(of: &verdict, documents, pull)
    let layers = pull.layerPull(documents)
    for number in verdict.layers.indices where !verdict.layers[number].findings.isEmpty && !verdict.layers[number].isRepaired {
      do {
        try await repair(number, of: verdict.image, layers)
        verdict.layers[number].isRepaired = true
      } catch {
        verdict.layers[number].failure = "\(Fault(error))"
      }
    }
  }

  /// A blob takes the place of the damaged one when it is whole.
  private func repairBlobs(of verdict: inout ImageVerdict, _ documents: ImagePull.Documents, _ pull: ImagePull) async {
    var left: [BlobVerdict] = []
    for var blob in verdict.blobs {
      do {
        guard let descriptor = documents.manifest.layers.first(where: { $0.digest == blob.digest }) else {
          throw Fault(.dataLoss, "its manifest does not name it")
        }
        try await stage("blob \(blob.digest)") {
          let stream = try await pull.source.blob(descriptor, of: pull.reference, credentials: credentials)
          try await service.content.take(stream, as: descriptor) { _ in }
        }
        service.logger.info("blob repaired", metadata: ["blob": "\(blob.digest)", "image": "\(verdict.image.id)"])
      } catch {
        blob.failure = "\(Fault(error))"
        left.append(blob)
      }
    }
    verdict.blobs = left
  }

  /// By the manifest's digest: exactly what is here, not what the tag leads to today.
  private func pull(of image: ImageRecord) throws -> ImagePull {
    guard let name = image.digests.first ?? image.tags.first, let named = try? ImageReference(parsing: name) else {
      throw Fault(.failedPrecondition, "it has no name that a registry could be asked for")
    }
    let reference = ImageReference(domain: named.domain, path: named.path, tag: nil, digest: image.manifest)
    return ImagePull(service: service, source: service.registry, reference: reference, credentials: credentials, progress: PullProgress())
  }

  private func forget(_ image: ImageRecord) throws {
    for digest in Set([image.id, image.manifest]) where (try? service.content.read(digest)) == nil { try service.content.remove(digest) }
  }

  private func repair(_ number: Int, of image: ImageRecord, _ layers: LayerPull) async throws {
    let id = image.layers[number]
    if let user = service.garbage.users(of: id).first {
      throw Fault(.failedPrecondition, "container \(user.id) uses it: stop that first")
    }
    let applied = try await layers.apply(layers.layers[number], number)
    do { try await service.layers.replace(id, with: applied, above: Array(image.layers[..<number])) } catch {
      await service.layers.discard(applied)
      throw error
    }
    let left = try await service.layers.verify(id)
    guard left.isEmpty else { throw Fault(.dataLoss, "it differs again: \(left[0])") }
    service.logger.info("layer repaired", metadata: ["layer": "\(id)", "image": "\(image.id)"])
  }
}

extension ImageVerdict {
  /// Nothing could be repaired, and why.
  fileprivate mutating func fail(_ why: String) {
    if !findings.isEmpty { findings.append("repair: \(why)") }
    for number in blobs.indices { blobs[number].failure = why }
    for number in layers.indices where !layers[number].findings.isEmpty && !layers[number].isRepaired { layers[number].failure = why }
  }
}
