import Core
import Linux

/// A bounded queue between an asynchronous writer and a blocking reader: memory stays bounded however slow the disk is, and no thread
/// of Swift's concurrency pool ever waits.
final class ByteQueue: Sendable {
  private struct State: Sendable {
    var chunks: [[UInt8]] = []
    /// Bytes in `chunks`.
    var waiting = 0
    var end: End?
    var writer: CheckedContinuation<Void, Never>?

    mutating func takeWriter() -> CheckedContinuation<Void, Never>? {
      defer { writer = nil }
      return writer
    }
  }

  private enum End: Sendable {
    /// The writer has given everything.
    case complete
    /// Either side gave up; the other one hears why.
    case failed(Fault)
  }

  /// The reader may hold as much again, and each of both one piece more.
  static let capacity = 256 << 10

  private let monitor = Monitor(State())

  /// Waits while more than ``capacity`` bytes are unread. One writer at a time. Throws what the reader gave up with.
  func write(_ bytes: [UInt8]) async throws {
    if bytes.isEmpty { return }
    let isFull = try monitor.update { state in
      if case .failed(let fault) = state.end { throw fault }
      state.chunks.append(bytes)
      state.waiting += bytes.count
      return state.waiting > Self.capacity
    }
    if isFull { await roomToWrite() }
    try Task.checkCancellation()
  }

  private func roomToWrite() async {
    await withCheckedContinuation { continuation in
      let goesOn = monitor.update { state in
        if state.waiting <= Self.capacity || state.end != nil { return true }
        state.writer = continuation
        return false
      }
      if goesOn { continuation.resume() }
    }
  }

  /// No more bytes will come.
  func complete() { end(.complete) }

  /// Ends the queue for both sides.
  func fail(_ fault: Fault) { end(.failed(fault)) }

  private func end(_ end: End) {
    let writer = monitor.update { state in
      if state.end == nil { state.end = end }
      if case .failed = end { state.end = end }
      return state.takeWriter()
    }
    writer?.resume()
  }

  /// Blocks until there are bytes; `nil` at the end.
  func read() throws -> [[UInt8]]? {
    let (chunks, writer) = try monitor.wait { state in try Self.take(&state) }
    writer?.resume()
    return chunks
  }

  private static func take(_ state: inout State) throws -> ([[UInt8]]?, CheckedContinuation<Void, Never>?)? {
    if case .failed(let fault) = state.end { throw fault }
    if state.chunks.isEmpty { return state.end == nil ? nil : (nil, nil) }
    defer {
      state.chunks = []
      state.waiting = 0
    }
    return (state.chunks, state.takeWriter())
  }
}
