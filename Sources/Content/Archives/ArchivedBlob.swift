import Core
import Linux
import Synchronization

/// A blob of an archive, read piece by piece.
final class ArchivedBlob: BlobStream {
  private let region: ArchiveFiles.Region
  private let position = Mutex<Int64>(0)

  private static let piece = 1 << 20

  init(_ region: ArchiveFiles.Region) { self.region = region }

  func next() async throws -> [UInt8]? {
    let region = region
    let start = position.withLock { position in
      defer { position += Int64(Self.piece) }
      return position
    }
    let bytes = try await BlockingWork.run { try region.read(at: start, Self.piece) }
    return bytes.isEmpty ? nil : bytes
  }
}
