package import Core
import Linux
import OCI

/// Packs layers with the tools everyone has.
package enum Packing: String, CaseIterable, Sendable {
  case plain, gzip, zstd

  package var mediaType: String {
    switch self {
    case .plain: MediaType.ociLayer
    case .gzip: MediaType.ociLayerGzip
    case .zstd: MediaType.ociLayerZstd
    }
  }

  package func pack(_ bytes: [UInt8]) async throws -> [UInt8] {
    switch self {
    case .plain: bytes
    case .gzip: try await filter("/usr/bin/gzip", ["-nc"], bytes)
    case .zstd: try await filter("/usr/bin/zstd", ["-qc"], bytes)
    }
  }

  private func filter(_ program: String, _ arguments: [String], _ bytes: [UInt8]) async throws -> [UInt8] {
    let output = try await Command.run(program, arguments, input: bytes, timeout: .seconds(60), outputLimit: 1 << 30)
    guard output.succeeded, !output.truncated else {
      throw Fault(.internal, "\(program): \(String(decoding: output.stderr, as: UTF8.self))")
    }
    return output.stdout
  }
}

/// A layer as a registry has it.
package struct PackedLayer: Sendable {
  package var description: LayerDescription
  package var blob: [UInt8]

  package init(tar: [UInt8], blob: [UInt8], mediaType: String = MediaType.ociLayerGzip) {
    self.blob = blob
    let descriptor = Descriptor(mediaType: mediaType, digest: Digest.sha256(of: blob), size: Int64(blob.count))
    description = LayerDescription(descriptor: descriptor, diffID: Digest.sha256(of: tar))
  }

  package init(_ entries: [Tar.Entry], _ packing: Packing = .plain) async throws {
    let tar = Tar(entries).bytes
    self.init(tar: tar, blob: try await packing.pack(tar), mediaType: packing.mediaType)
  }
}

extension LayerStore {
  /// All of a layer, in pieces of `piece` bytes.
  package func apply(_ layer: PackedLayer, piece: Int = 64 << 10) async throws -> any AppliedLayer {
    let ingest = try await ingest(layer.description)
    var rest = layer.blob[...]
    do {
      while !rest.isEmpty {
        try await ingest.write(Array(rest.prefix(piece)))
        rest = rest.dropFirst(piece)
      }
      return try await ingest.finish()
    } catch {
      await ingest.abort()
      throw error
    }
  }

  /// Applies and commits a stack of layers, lowest first.
  package func add(_ layers: [PackedLayer]) async throws -> [LayerID] {
    var ids: [LayerID] = []
    for layer in layers { ids.append(try await commit(try await apply(layer), above: ids).id) }
    return ids
  }
}
