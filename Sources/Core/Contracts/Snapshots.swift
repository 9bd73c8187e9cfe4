/// How a container's root filesystem is mounted: overlay of read-only layers below one writable directory; or, without layers and work directory, that
/// directory as it is.
package struct RootfsMount: Hashable, Sendable, Codable {
  /// Layer directories, highest first, as overlay's `lowerdir+` takes them.
  package var lower: [String]
  /// `nil` where the mount is read-only.
  package var upper: String?
  package var work: String?
  /// Further overlay options, `volatile` and the like.
  package var options: [String]

  /// A directory that is complete by itself.
  package var isPlain: Bool { lower.isEmpty && work == nil && upper != nil }

  package init(lower: [String], upper: String?, work: String?, options: [String] = []) {
    self.lower = lower
    self.upper = upper
    self.work = work
    self.options = options
  }
}

/// How much room a snapshot's limit leaves at least.
package enum SnapshotLimit {
  /// Bytes.
  package static let least = 16 << 20
}

/// Writable directories above layers, one a container. None of it causes a sync: a snapshot does not outlive a reboot.
package protocol Snapshotter: Sendable {
  /// Makes the directories of snapshot `key` above `layers` (lowest first). ALREADY_EXISTS where `key` is taken.
  ///
  /// - Parameter limit: bytes that everything in the snapshot may occupy; who writes more gets ENOSPC or EDQUOT, and `/` shows it as its size. Nil for no
  ///   limit. FAILED_PRECONDITION where it cannot be kept.
  func prepare(_ key: String, above layers: [LayerID], limit: Int64?) async throws -> RootfsMount
  func mount(_ key: String, above layers: [LayerID]) throws -> RootfsMount
  /// What the writable layer occupies, as du(1) counts it. Where it has no limit it is walked: never on a request's path.
  func usage(_ key: String) async throws -> DiskUsage
  /// What all of it occupies on disk besides writable layers: directories of its own, filesystems' blocks, what is on its way out. Blocks.
  func overhead() -> DiskUsage
  /// Removing what is not there succeeds. The mount must be gone.
  func remove(_ key: String) async throws
  func list() throws -> [String]
}

extension Snapshotter {
  /// Without a limit.
  package func prepare(_ key: String, above layers: [LayerID]) async throws -> RootfsMount {
    try await prepare(key, above: layers, limit: nil)
  }
}
