import Core
import Synchronization

/// What a writer writes, to be read: the writer waits until each piece is taken, and ends when nobody reads any more.
final class PackedStream: BlobStream {
  private let pieces: AsyncStream<Result<[UInt8], Fault>>
  private let iterator: Mutex<AsyncStream<Result<[UInt8], Fault>>.Iterator>
  private let turn = Bell()
  private let task: Task<Void, Never>

  init(_ write: @escaping @Sendable (([UInt8]) async throws -> Void) async throws -> Void) {
    let (stream, continuation) = AsyncStream.makeStream(of: Result<[UInt8], Fault>.self)
    let turn = turn
    pieces = stream
    iterator = Mutex(stream.makeAsyncIterator())
    task = Task {
      do {
        try await write { piece in
          continuation.yield(.success(piece))
          await turn.wait()
          try Task.checkCancellation()
        }
      } catch {
        continuation.yield(.failure(Fault(error)))
      }
      continuation.finish()
    }
  }

  deinit {
    task.cancel()
    turn.ring()
  }

  /// One reader at a time.
  func next() async throws -> [UInt8]? {
    var iterator = iterator.withLock { $0 }
    guard let piece = await iterator.next() else { return nil }
    turn.ring()
    return try piece.get()
  }
}
