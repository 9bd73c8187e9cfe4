import Core

/// Which traces are recorded (the samplers of OpenTelemetry's SDK specification).
package struct Sampler: Sendable, Hashable {
  package enum Choice: Sendable, Hashable {
    case all
    case none
    /// By the trace's ID, so that every process that sees a trace decides alike.
    case share(Double)
  }

  /// What decides of traces that begin here.
  package var choice: Choice
  /// A parent's decision counts.
  package var followsParent: Bool

  package init(_ choice: Choice, followsParent: Bool = true) {
    self.choice = choice
    self.followsParent = followsParent
  }

  func samples(_ trace: TraceID, parent: TraceContext?) -> Bool {
    if followsParent, let parent { return parent.isSampled }
    switch choice {
    case .all: return true
    case .none: return false
    // The same 63 bits that OpenTelemetry for Go compares: containerd's and the kubelet's sampler.
    case .share(let share): return share >= 1 || trace.low >> 1 < UInt64(max(share, 0) * 0x1p63)
    }
  }
}
