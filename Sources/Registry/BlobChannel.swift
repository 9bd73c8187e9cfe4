import Core
import Synchronization

/// Hands the pieces of a blob from the task that fetches them to the one that reads them; whoever is ahead waits.
final class BlobChannel: Sendable {
  /// Pieces ready but not yet read: one more than needed for neither side to wait on the other's every step.
  private static let capacity = 2

  private struct State {
    var pieces: [[UInt8]] = []
    /// Set when no more pieces come; handed out after the last of them.
    var end: Result<Void, Fault>?
    var isAbandoned = false
    var isQueued = false
    var reader: CheckedContinuation<[UInt8]?, any Error>?
    var writer: CheckedContinuation<Void, Never>?
  }

  private enum Handover {
    case none
    case reader(CheckedContinuation<[UInt8]?, any Error>, Result<[UInt8]?, any Error>)
    case writer(CheckedContinuation<Void, Never>)

    func perform() {
      switch self {
      case .none: break
      case .reader(let continuation, let result): continuation.resume(with: result)
      case .writer(let continuation): continuation.resume()
      }
    }
  }

  private let state = Mutex(State())

  /// The transfer waits for its turn.
  var isQueued: Bool {
    get { state.withLock { $0.isQueued } }
    set { state.withLock { $0.isQueued = newValue } }
  }

  /// Gives a piece away without waiting.
  func offer(_ piece: [UInt8]) {
    state.withLock { state -> Handover in
      if state.isAbandoned { return .none }
      guard let reader = state.reader else {
        state.pieces.append(piece)
        return .none
      }
      state.reader = nil
      return .reader(reader, .success(piece))
    }.perform()
  }

  var isFull: Bool { state.withLock { $0.pieces.count >= Self.capacity && !$0.isAbandoned } }

  /// Returns when there is room, or when nobody reads any more.
  func waitForRoom() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        state.withLock { state -> Handover in
          if state.pieces.count < Self.capacity || state.isAbandoned || Task.isCancelled { return .writer(continuation) }
          state.writer = continuation
          return .none
        }.perform()
      }
    } onCancel: {
      releaseWriter()
    }
  }

  private func releaseWriter() {
    state.withLock { state -> Handover in
      defer { state.writer = nil }
      return state.writer.map(Handover.writer) ?? .none
    }.perform()
  }

  func finish(_ end: Result<Void, Fault>) {
    state.withLock { state -> Handover in
      if state.end == nil { state.end = end }
      defer { state.reader = nil }
      return state.reader.map { .reader($0, Self.last(end)) } ?? .none
    }.perform()
  }

  /// The reader went away: nothing is kept any more.
  func abandon() {
    state.withLock { state in
      state.isAbandoned = true
      state.pieces = []
    }
    releaseWriter()
  }

  /// One reader at a time.
  func next() async throws -> [UInt8]? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (reader, writer) = state.withLock { take(&$0, continuation) }
        reader.perform()
        writer.perform()
      }
    } onCancel: {
      cancelReader()
    }
  }

  private func take(_ state: inout State, _ continuation: CheckedContinuation<[UInt8]?, any Error>) -> (reader: Handover, writer: Handover)
  {
    if Task.isCancelled { return (.reader(continuation, .failure(CancellationError())), .none) }
    if !state.pieces.isEmpty {
      let piece = state.pieces.removeFirst()
      defer { state.writer = nil }
      return (.reader(continuation, .success(piece)), state.writer.map(Handover.writer) ?? .none)
    }
    if let end = state.end { return (.reader(continuation, Self.last(end)), .none) }
    precondition(state.reader == nil, "two readers of one blob stream")
    state.reader = continuation
    return (.none, .none)
  }

  private func cancelReader() {
    state.withLock { state -> Handover in
      defer { state.reader = nil }
      return state.reader.map { .reader($0, .failure(CancellationError())) } ?? .none
    }.perform()
  }

  private static func last(_ end: Result<Void, Fault>) -> Result<[UInt8]?, any Error> {
    end.map { nil }.mapError { $0 }
  }
}
