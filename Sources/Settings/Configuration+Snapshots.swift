import Core

extension Configuration {
  /// `[snapshots]`: containers' own filesystems.
  package struct Snapshots: Equatable, Sendable {
    /// Key `snapshotter`: `overlay`, `native` (whole copies), or `auto`: overlay where it can be used.
    package var snapshotter = "auto"
    /// Key `writable_layer_size`, bytes: what a container may write beside its volumes, and the most that an annotation may ask for; `nil` for no limit.
    package var writableSize: Int?
    /// Key `writable_layer_backend`: `quota` (project quotas of the root's filesystem), `block` (a filesystem in a file for each), or `auto`: what there is,
    /// in this order.
    package var limitMethod = "auto"

    /// Bytes of a limit: less has no room for a filesystem's own tables.
    package static let sizes = SnapshotLimit.least...(1 << 42)

    mutating func apply(_ table: inout TableReader) throws(SettingsError) {
      try table.set(&snapshotter, "snapshotter") {
        ["auto", "overlay", "native"].contains($0) ? nil : "must be auto, overlay or native"
      }
      if let size = try table.takeSize("writable_layer_size", Self.sizes) { writableSize = size == 0 ? nil : size }
      try table.set(&limitMethod, "writable_layer_backend") {
        ["auto", "quota", "block"].contains($0) ? nil : "must be auto, quota or block"
      }
    }
  }
}

extension TableReader {
  /// Bytes, written like "10GiB"; 0, for none, is always allowed.
  mutating func takeSize(_ key: String, _ range: ClosedRange<Int>) throws(SettingsError) -> Int? {
    let text: String? = try take(key) { text in
      guard let size = ByteSize.parse(text) else { return "must be a size like \"10GiB\", found \"\(text)\"" }
      return size == 0 || range.contains(size)
        ? nil : "must be \(range.lowerBound) to \(range.upperBound) bytes, or \"0\" for no limit, found \"\(text)\""
    }
    return text.flatMap(ByteSize.parse)
  }
}
