package import Linux
package import OCI

/// Names a committed layer: its diff ID where applying it needed nothing of its parents, else its chain ID
/// (OCI image spec, config.md "Layer ChainID").
package struct LayerID: Hashable, Sendable, Codable, CustomStringConvertible {
  package let digest: Digest
  package init(_ digest: Digest) { self.digest = digest }
  package var description: String { digest.description }
}

/// What the manifest and the config say of one layer.
package struct LayerDescription: Sendable, Hashable {
  /// The blob as the registry holds it; its media type chooses the decompressor where the bytes themselves do not say.
  package var descriptor: Descriptor
  /// SHA-256 of the uncompressed tar, to its very end.
  package var diffID: Digest

  package init(descriptor: Descriptor, diffID: Digest) {
    self.descriptor = descriptor
    self.diffID = diffID
  }
}

/// One layer being applied to a directory of its own, while its bytes arrive.
/// Use: `write` all compressed bytes in order, then `finish`; or `abort` at any time, which leaves nothing behind.
package protocol LayerIngest: Sendable {
  /// Takes the next compressed bytes; waits while the applier is behind (bounded memory).
  func write(_ bytes: [UInt8]) async throws
  /// Checks both digests, ends the apply and starts writing back. INVALID_ARGUMENT for a hostile or ill-formed layer, DATA_LOSS for a wrong digest.
  func finish() async throws -> any AppliedLayer
  func abort() async
}

/// A layer that was applied in isolation: not visible to anyone until committed.
package protocol AppliedLayer: Sendable {
  var diffID: Digest { get }
}

package struct DiskUsage: Hashable, Sendable, Codable {
  package var bytes: Int64
  package var inodes: Int64

  package init(bytes: Int64 = 0, inodes: Int64 = 0) {
    self.bytes = bytes
    self.inodes = inodes
  }

  package init(_ usage: TreeUsage) { self.init(bytes: usage.bytes, inodes: usage.inodes) }

  /// All below a directory, itself included; nothing where it cannot be read. Blocks.
  package init(tree path: String) { self.init((try? TreeUsage.walk(path)) ?? TreeUsage()) }

  package static func + (a: DiskUsage, b: DiskUsage) -> DiskUsage {
    DiskUsage(bytes: a.bytes + b.bytes, inodes: a.inodes + b.inodes)
  }

  /// Never below zero: the two are not looked at in one moment.
  package static func - (a: DiskUsage, b: DiskUsage) -> DiskUsage {
    DiskUsage(bytes: max(0, a.bytes - b.bytes), inodes: max(0, a.inodes - b.inodes))
  }
}

/// A committed layer, as its record on disk says.
package struct LayerInfo: Sendable, Hashable {
  package let id: LayerID
  package let diffID: Digest
  package let usage: DiskUsage

  package init(id: LayerID, diffID: Digest, usage: DiskUsage) {
    self.id = id
    self.diffID = diffID
    self.usage = usage
  }
}

/// Applied layers on disk, shared by all images and snapshots.
package protocol LayerStore: Sendable {
  /// A placed layer for this place in an image: the one shared by diff ID, or the one of that very chain. ``commit(_:)`` it before an image names it.
  func find(_ diffID: Digest, chainID: Digest) -> LayerInfo?
  func ingest(_ layer: LayerDescription) async throws -> any LayerIngest
  /// The first half of a commit: resolves the layer's open references against `parents` (lowest first; all placed) and renames it into place, so that
  /// others can stand on it and find it. It is listed, and outlives a power cut, when ``commit(_:)`` has returned. Where the same layer is there already, that one is
  /// returned and this one dropped.
  func place(_ layer: any AppliedLayer, above parents: [LayerID]) async throws -> LayerInfo
  /// The second half: syncs a placed layer and records it. Calls at once share their syncs. Does nothing for a committed layer; a layer whose sync fails is
  /// gone. Goes on behind a cancelled call.
  func commit(_ id: LayerID) async throws
  /// Puts a newly applied layer in the place of the committed one `id`, which is damaged; `parents` as for ``place(_:above:)``. Atomic and durable.
  /// Nothing may have the old one mounted.
  func replace(_ id: LayerID, with layer: any AppliedLayer, above parents: [LayerID]) async throws
  /// Drops an applied layer that will not be committed.
  func discard(_ layer: any AppliedLayer) async
  func list() throws -> [LayerInfo]
  /// Compares files with the layer's manifest of what was written; one line per difference, empty where all is well.
  func verify(_ id: LayerID) async throws -> [String]
  /// Removing what is not there succeeds.
  func remove(_ id: LayerID) async throws
  /// Deletes the leftovers of interrupted applies that were there when the store was opened. What cannot be deleted is logged.
  func sweep() async
  /// A file of the merged view of `layers` (lowest first), symlinks followed inside that view, without mounting it.
  /// `nil` where there is none; RESOURCE_EXHAUSTED above `limit` bytes.
  func readFile(_ path: String, in layers: [LayerID], limit: Int) throws -> [UInt8]?
  /// Where each path leads in the same view. INVALID_ARGUMENT where symlinks lead on without end.
  func places(_ paths: [String], in layers: [LayerID]) throws -> [ImagePlace]
}

/// Where a path of an image leads, symlinks followed as inside a container.
package struct ImagePlace: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    case absent, directory, file
    /// A device, a pipe or a socket.
    case other
    /// What ``path`` names is on the way, and no directory.
    case obstructed
  }

  /// Absolute, and without symlinks as far as there is something.
  package let path: String
  package let kind: Kind

  package init(_ path: String, _ kind: Kind) { (self.path, self.kind) = (path, kind) }
}

extension LayerStore {
  /// Both halves.
  package func commit(_ layer: any AppliedLayer, above parents: [LayerID]) async throws -> LayerInfo {
    let info = try await place(layer, above: parents)
    try await commit(info.id)
    return info
  }
}
