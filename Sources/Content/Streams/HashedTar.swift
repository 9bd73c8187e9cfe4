import Core
import Linux
import OCI

/// The uncompressed tar: hashed on its way to the very end, stopped where it grows beyond reason, and paced.
final class HashedTar: ByteSource {
  private let source: any ByteSource
  private let limits: ExtractionLimits
  private let compressed: () -> Int64
  private var hasher: ContentHasher
  private var count: Int64 = 0
  private var pace = Courtesy.Pace()

  /// - Parameter compressed: how many bytes of the blob have been read so far.
  init(_ source: any ByteSource, algorithm: Digest.Algorithm, limits: ExtractionLimits, compressed: @escaping () -> Int64) {
    self.source = source
    self.limits = limits
    self.compressed = compressed
    hasher = ContentHasher(algorithm)
  }

  func next() throws -> UnsafeRawBufferPointer? {
    guard let bytes = try source.next() else { return nil }
    hasher.update(bytes)
    count += Int64(bytes.count)
    try limits.checkExpansion(from: compressed(), to: count)
    pace.step()
    return bytes
  }

  /// Reads to the end (what follows the tar's own end counts too), then compares.
  func check(_ diffID: Digest) throws {
    try drain()
    let digest = hasher.finish()
    guard digest == diffID else { throw Fault(.dataLoss, "its tar is \(digest), the image's configuration says \(diffID)") }
  }
}
