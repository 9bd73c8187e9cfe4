import Core

/// The keys whose durable copy is out of date: a value, so that every path through it can be tested without a disk.
///
/// It is bounded. Beyond ``limit`` keys (a disk that has been full for days) it forgets which and remembers "all".
struct WriteBacklog {
  /// What the writer does next.
  enum Step: Equatable {
    case idle
    case write([Change.Key])
    /// Compare both stores whole.
    case writeAll
  }

  static let limit = 65_536
  static let batch = 256

  private var keys: Set<Change.Key> = []
  private var all = false
  /// Grows with every change; a flush waits for those up to the number it saw.
  private(set) var generation: UInt64 = 0

  var count: Int { keys.count }
  var isEmpty: Bool { keys.isEmpty && !all }

  mutating func add(_ key: Change.Key) {
    generation += 1
    guard !all else { return }
    keys.insert(key)
    if keys.count > Self.limit { addAll() }
  }

  mutating func addAll() {
    generation += 1
    keys = []
    all = true
  }

  /// Takes the next piece of work out; ``putBack(_:)`` returns it if it could not be done.
  mutating func next() -> Step {
    if all {
      all = false
      return .writeAll
    }
    guard !keys.isEmpty else { return .idle }
    let batch = Array(keys.prefix(Self.batch))
    keys.subtract(batch)
    return .write(batch)
  }

  mutating func putBack(_ step: Step) {
    switch step {
    case .idle: break
    case .writeAll: addAll()
    case .write(let batch): for key in batch { add(key) }
    }
  }
}
