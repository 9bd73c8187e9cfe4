import NIOCore

/// The client's side of a connection as a value: which streams are open, and what a frame means for them. No I/O.
struct CallTable<Call> {
  /// What is to be done with a frame.
  enum Reaction {
    case deliver(Call, ByteBuffer)
    /// The waiter has gone.
    case ignore
    case fail(FrameError)
  }

  private var open: [UInt32: Call] = [:]
  private var next: UInt32 = 1

  /// The stream for a new call; nil when all numbers are used up and only a new connection helps.
  mutating func begin(_ call: Call) -> UInt32? {
    guard next < UInt32(Int32.max) else { return nil }
    defer { next += 2 }
    open[next] = call
    return next
  }

  mutating func abandon(where matches: (Call) -> Bool) {
    if let entry = open.first(where: { matches($0.value) }) { open[entry.key] = nil }
  }

  mutating func receive(_ frame: Frame) -> Reaction {
    guard frame.kind == .response else { return .fail(.unexpected(frame.kind)) }
    guard frame.stream % 2 == 1, frame.stream < next else { return .fail(.unknownStream(frame.stream)) }
    guard let call = open.removeValue(forKey: frame.stream) else { return .ignore }
    return .deliver(call, frame.payload)
  }

  /// Every call that will never be answered.
  mutating func drain() -> [Call] {
    defer { open = [:] }
    return Array(open.values)
  }
}
