import Linux
import Synchronization

/// Ctrl-C and SIGTERM, for a command that has something to clean up.
final class Interruption: Sendable {
  private enum State {
    case calm
    case waiting([CheckedContinuation<Void, Never>])
    /// Final.
    case raised
  }

  private let state = Mutex(State.calm)

  /// Takes the signals over for the rest of the process's life. The second one ends it as signals do: at once.
  static func onSignals() throws -> Interruption {
    let interruption = Interruption()
    let signals = try Signals.stream([Signals.interrupt, Signals.terminate, Signals.hangup])
    Task {
      var first = true
      for await number in signals {
        if !first { Signals.exit(by: number) }
        first = false
        interruption.raise()
      }
    }
    return interruption
  }

  func raise() {
    let waiting = state.withLock { state in
      defer { state = .raised }
      if case .waiting(let continuations) = state { return continuations }
      return []
    }
    waiting.forEach { $0.resume() }
  }

  var isRaised: Bool {
    state.withLock { if case .raised = $0 { true } else { false } }
  }

  /// Between two steps that must each be finished.
  func check() throws {
    if isRaised { throw Interrupted() }
  }

  /// Runs what may be given up at any moment: throws ``Interrupted`` as soon as the signal comes.
  func cutShort<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    let work = Task { try await body() }
    let watch = Task {
      await raised()
      work.cancel()
    }
    defer { watch.cancel() }
    do { return try await work.value } catch {
      try check()
      throw error
    }
  }

  /// Returns when the signal comes; never, otherwise: the last waiter goes with the process.
  private func raised() async {
    await withCheckedContinuation { continuation in
      let now = state.withLock { state in
        switch state {
        case .raised: return true
        case .calm: state = .waiting([continuation])
        case .waiting(let others): state = .waiting(others + [continuation])
        }
        return false
      }
      if now { continuation.resume() }
    }
  }
}

/// A person or the system asked this command to end.
struct Interrupted: Error {}
