import Core

/// Spans that wait to be sent, as a value: never more than so many, the newest are dropped.
struct SpanQueue {
  let capacity: Int
  /// Spans of one request.
  let batch: Int
  private var spans: [SpanRecord] = []
  private(set) var isClosed = false

  init(capacity: Int, batch: Int) {
    self.capacity = capacity
    self.batch = min(batch, capacity)
  }

  var count: Int { spans.count }
  var hasBatch: Bool { spans.count >= batch }

  enum Reaction: Equatable {
    case nothing
    /// The sender is to be woken: it has something to wait for now, or enough to send.
    case wake
    case drop
  }

  mutating func add(_ span: SpanRecord) -> Reaction {
    guard !isClosed, spans.count < capacity else { return .drop }
    spans.append(span)
    return spans.count == 1 || spans.count == batch ? .wake : .nothing
  }

  /// The oldest, one batch of them at most.
  mutating func take() -> [SpanRecord] {
    let taken = Array(spans.prefix(batch))
    spans.removeFirst(taken.count)
    return taken
  }

  /// What is there may still be taken.
  mutating func close() { isClosed = true }
}
