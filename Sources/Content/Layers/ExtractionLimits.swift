import Core

/// How much a layer may ask of the node. Whatever is beyond is refused with INVALID_ARGUMENT, naming the entry.
package struct ExtractionLimits: Sendable, Hashable {
  /// Entries of one archive.
  package var entries = 1_000_000
  /// Components of a path.
  package var depth = LayerTree.maximumDepth
  /// Bytes of a path (PATH_MAX without its NUL).
  package var pathLength = 4095
  /// Bytes of one component (NAME_MAX).
  package var nameLength = 255
  /// Bytes of one extended attribute (XATTR_SIZE_MAX), and their number on one entry.
  package var attributeSize = 64 << 10
  package var attributes = 100
  /// Bytes of an extended attribute's name (XATTR_NAME_MAX).
  static let attributeNameLength = 255
  /// Bytes of one file, holes included.
  package var fileSize: Int64 = 1 << 40
  /// Bytes of the uncompressed tar; also of all its files together, holes included.
  package var total: Int64 = 1 << 40
  /// How many times its compressed size a tar may have, once it is larger than ``freeExpansion``. Deflate cannot exceed 1032.
  package var expansion: Int64 = 2000
  package var freeExpansion: Int64 = 256 << 20

  package init() {}

  func checkExpansion(from compressed: Int64, to count: Int64) throws(Fault) {
    guard count <= total else { throw Fault(.invalidArgument, "it unpacks to more than \(total) bytes") }
    guard count <= freeExpansion || count / expansion <= compressed else {
      throw Fault(.invalidArgument, "it unpacks to more than \(expansion) times its size")
    }
  }
}
