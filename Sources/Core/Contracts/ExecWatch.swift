import Synchronization

/// Is told of one exec's life, in order: added, started, ended; each once.
package final class ExecWatch: Sendable, Hashable {
  package enum Step: Sendable, Hashable {
    /// The shim knows of it.
    case added
    case started(pid: Int32)
    /// With the process ID that it had; not told of what was never started.
    case ended(pid: Int32, ExitRecord)
  }

  private enum State {
    case new
    /// The answer to the start is on its way still.
    case endedEarly(ExitRecord)
    case running(Int32)
    case ended
  }

  private let state = Mutex(State.new)
  private let tell: @Sendable (String, Step) -> Void

  /// `tell` gets the exec's ID, and must return at once.
  package init(_ tell: @escaping @Sendable (_ id: String, _ step: Step) -> Void) { self.tell = tell }

  package func added(_ id: String) { tell(id, .added) }

  package func started(_ id: String, _ pid: Int32) {
    state.withLock { state in
      tell(id, .started(pid: pid))
      guard case .endedEarly(let exit) = state else { return state = .running(pid) }
      state = .ended
      tell(id, .ended(pid: pid, exit))
    }
  }

  package func ended(_ id: String, _ exit: ExitRecord) {
    state.withLock { state in
      switch state {
      case .new: state = .endedEarly(exit)
      case .running(let pid):
        state = .ended
        tell(id, .ended(pid: pid, exit))
      case .endedEarly, .ended: break
      }
    }
  }

  package static func == (one: ExecWatch, other: ExecWatch) -> Bool { one === other }

  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
