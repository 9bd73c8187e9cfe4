import Core
import Linux
import OCI
import Synchronization

/// A blob being written beside the others: hashed on its way, and given its name when it is complete and on disk.
final class BlobFile: BlobIngest {
  private struct State: ~Copyable {
    let file: FileHandle
    var hasher: ContentHasher
    var count: Int64 = 0
    /// Up to where the kernel was asked to write out.
    var flushed: Int64 = 0

    mutating func take(_ bytes: [UInt8]) throws {
      try bytes.withUnsafeBytes { try file.write($0, at: count) }
      hasher.update(bytes)
      count += Int64(bytes.count)
      if count - flushed >= BlobFile.flushInterval {
        file.startWriteback(flushed, count - flushed)
        flushed = count
      }
    }
  }

  private static let flushInterval: Int64 = 8 << 20

  private let descriptor: Descriptor
  private let temporary: String
  private let path: String
  private let state: Mutex<State>

  /// - Parameters:
  ///   - temporary: a new file; gone again unless the blob is finished.
  ///   - path: its name in the end.
  init(_ descriptor: Descriptor, temporary: String, path: String) throws {
    self.descriptor = descriptor
    self.temporary = temporary
    self.path = path
    state = Mutex(State(file: try FileHandle.create(temporary), hasher: ContentHasher(descriptor.digest.algorithm)))
  }

  /// After ``finish()`` there is nothing of that name any more.
  deinit { try? Files.remove(temporary) }

  func write(_ bytes: [UInt8]) async throws {
    try await stage("content \(descriptor.digest)") {
      try await BlockingWork.run { [self] in
        try state.withLock { state in
          guard state.count + Int64(bytes.count) <= descriptor.size else {
            throw Fault(.dataLoss, "it is longer than the \(descriptor.size) bytes its descriptor says")
          }
          try state.take(bytes)
        }
      }
    }
  }

  func finish() async throws {
    try await stage("content \(descriptor.digest)") {
      try await BlockingWork.run { [self] in
        try state.withLock { state in
          let found = state.hasher.finish()
          guard state.count == descriptor.size else {
            throw Fault(.dataLoss, "it ended after \(state.count) bytes, its descriptor says \(descriptor.size)")
          }
          guard found == descriptor.digest else { throw Fault(.dataLoss, "it arrived as \(found)") }
          try state.file.sync()
        }
        try Files.place(temporary, at: path)
      }
    }
  }

  func abort() async { await BlockingWork.run { [temporary] in try? Files.remove(temporary) } }
}
