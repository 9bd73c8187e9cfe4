import Core
import FoundationEssentials
import OCI
import Synchronization

/// Layers that are only names: enough for the order of a pull's steps.
final class MemoryLayers: LayerStore {
  struct Applied: AppliedLayer, LayerIngest {
    let store: MemoryLayers
    let diffID: Digest
    let broken: Bool

    func write(_ bytes: [UInt8]) async throws { await Task.yield() }

    func finish() async throws -> any AppliedLayer {
      if broken { throw Fault(.dataLoss, "broken") }
      return self
    }

    func abort() async { store.state.withLock { $0.pending -= 1 } }
  }

  let state = Mutex<(layers: [Digest: LayerInfo], pending: Int, applied: Int)>(([:], 0, 0))
  private let committed = Mutex<Set<LayerID>>([])
  var pending: Int { state.withLock { $0.pending } }
  var applied: Int { state.withLock { $0.applied } }

  func find(_ diffID: Digest, chainID: Digest) -> LayerInfo? { state.withLock { $0.layers[diffID] } }

  func ingest(_ layer: LayerDescription) async throws -> any LayerIngest {
    state.withLock {
      $0.pending += 1
      $0.applied += 1
    }
    return Applied(store: self, diffID: layer.diffID, broken: layer.diffID == Digest.sha256(of: Array("broken".utf8)))
  }

  func commit(_ id: LayerID) async throws {
    await Task.yield()
    committed.withLock { _ = $0.insert(id) }
  }

  func place(_ layer: any AppliedLayer, above parents: [LayerID]) async throws -> LayerInfo {
    await Task.yield()
    let info = LayerInfo(id: LayerID(layer.diffID), diffID: layer.diffID, usage: DiskUsage(bytes: 1, inodes: 1))
    state.withLock {
      $0.layers[layer.diffID] = info
      $0.pending -= 1
    }
    return info
  }

  func replace(_ id: LayerID, with layer: any AppliedLayer, above parents: [LayerID]) async throws { await discard(layer) }
  func discard(_ layer: any AppliedLayer) async { state.withLock { $0.pending -= 1 } }
  func list() throws -> [LayerInfo] {
    let committed = committed.withLock { $0 }
    return state.withLock { $0.layers.values.filter { committed.contains($0.id) } }
  }
  func verify(_ id: LayerID) async throws -> [String] { [] }
  func remove(_ id: LayerID) async throws {
    committed.withLock { _ = $0.remove(id) }
    state.withLock { _ = $0.layers.removeValue(forKey: id.digest) }
  }
  func sweep() async {}
  func readFile(_ path: String, in layers: [LayerID], limit: Int) throws -> [UInt8]? { nil }
  func places(_ paths: [String], in layers: [LayerID]) throws -> [ImagePlace] { paths.map { ImagePlace($0, .absent) } }
}

final class MemoryContent: BlobStore {
  private let blobs = Mutex<[Digest: [UInt8]]>([:])

  func contains(_ digest: Digest) -> Bool { blobs.withLock { $0[digest] != nil } }

  func read(_ digest: Digest) throws -> [UInt8] {
    guard let bytes = blobs.withLock({ $0[digest] }) else { throw Fault(.notFound, "blob \(digest)") }
    return bytes
  }

  func write(_ bytes: [UInt8], as digest: Digest) async throws {
    await Task.yield()
    blobs.withLock { $0[digest] = bytes }
  }
  func list() throws -> [Digest] { blobs.withLock { Array($0.keys) } }
  func remove(_ digest: Digest) throws { blobs.withLock { _ = $0.removeValue(forKey: digest) } }
  func size(_ digest: Digest) -> Int64? { blobs.withLock { $0[digest].map { Int64($0.count) } } }
  func ingest(_ descriptor: Descriptor) async throws -> any BlobIngest { MemoryIngest(store: self, digest: descriptor.digest) }
  func open(_ digest: Digest, from offset: Int64) async throws -> any BlobStream {
    OnePiece(Array(try read(digest).dropFirst(Int(offset))))
  }
}

final class MemoryIngest: BlobIngest {
  private let store: MemoryContent
  private let digest: Digest
  private let bytes = Mutex<[UInt8]>([])

  init(store: MemoryContent, digest: Digest) {
    self.store = store
    self.digest = digest
  }

  func write(_ bytes: [UInt8]) async throws { self.bytes.withLock { $0 += bytes } }

  func finish() async throws {
    let bytes = bytes.withLock { $0 }
    guard digest.matches(bytes) else { throw Fault(.dataLoss, "it arrived as \(Digest.sha256(of: bytes))") }
    try await store.write(bytes, as: digest)
  }

  func abort() async {}
}

final class OnePiece: BlobStream {
  private let bytes: Mutex<[UInt8]?>

  init(_ bytes: [UInt8]?) { self.bytes = Mutex(bytes) }

  func next() async throws -> [UInt8]? {
    bytes.withLock { bytes in
      defer { bytes = nil }
      return bytes
    }
  }
}

/// A registry of images whose layers are words; a layer's blob and its diff ID are the word's hash.
final class MemoryRegistry: RegistrySource {
  private let state = Mutex<(manifests: [String: ManifestDocument], blobs: [Digest: [UInt8]], requests: Int)>(([:], [:], 0))
  var manifestRequests: Int { state.withLock { $0.requests } }

  func add(_ name: String, layers: [String]) {
    let words = layers.map { Array($0.utf8) }
    var config = ImageConfig()
    (config.os, config.architecture) = ("linux", "amd64")
    config.rootfs = .init(diffIDs: words.map { .sha256(of: $0) })
    config.author = name
    let configBytes = Array(try! JSONEncoder().encode(config))
    let manifest = Manifest(
      config: Descriptor(mediaType: MediaType.ociConfig, digest: .sha256(of: configBytes), size: Int64(configBytes.count)),
      layers: words.map { Descriptor(mediaType: MediaType.ociLayer, digest: .sha256(of: $0), size: Int64($0.count)) })
    let bytes = Array(try! JSONEncoder().encode(manifest))
    state.withLock { state in
      state.manifests[name] = ManifestDocument(digest: .sha256(of: bytes), mediaType: MediaType.ociManifest, bytes: bytes)
      state.blobs[.sha256(of: configBytes)] = configBytes
      for word in words { state.blobs[.sha256(of: word)] = word }
    }
  }

  func manifest(_ reference: ImageReference, credentials: RegistryCredentials?) async throws -> ManifestDocument {
    guard
      let document = state.withLock({ state in
        state.requests += 1
        return state.manifests[reference.path]
      })
    else { throw Fault(.notFound, "no manifest \(reference)") }
    return document
  }

  func blob(_ descriptor: Descriptor, of reference: ImageReference, credentials: RegistryCredentials?) async throws -> any BlobStream {
    await Task.yield()
    return OnePiece(state.withLock { $0.blobs[descriptor.digest] })
  }
}
