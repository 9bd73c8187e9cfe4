import Core
import Linux
import OCI
import Synchronization

/// A blob of the store, read piece by piece; compared with its digest where it is read from its start.
final class StoredBlob: BlobStream {
  private struct State: ~Copyable {
    let file: FileHandle
    var position: Int64
    /// `nil` where not all of it is read.
    var hasher: ContentHasher?

    mutating func read() throws -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: StoredBlob.piece)
      let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: position) }
      bytes.removeLast(bytes.count - count)
      position += Int64(count)
      hasher?.update(bytes)
      return bytes
    }
  }

  private static let piece = 1 << 20

  private let digest: Digest
  private let state: Mutex<State>

  init(_ digest: Digest, _ file: consuming FileHandle, from offset: Int64) {
    self.digest = digest
    state = Mutex(State(file: file, position: offset, hasher: offset == 0 ? ContentHasher(digest.algorithm) : nil))
  }

  func next() async throws -> [UInt8]? {
    try await stage("content \(digest)") {
      try await BlockingWork.run { [self] in
        try state.withLock { state in
          let bytes = try state.read()
          if !bytes.isEmpty { return bytes }
          if let found = state.hasher?.finish(), found != digest { throw Fault(.dataLoss, "the file does not match its digest") }
          state.hasher = nil
          return nil
        }
      }
    }
  }
}
