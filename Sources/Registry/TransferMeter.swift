import Synchronization

/// Counts what a connection brings, and for how long it had to wait for the reader.
final class TransferMeter: Sendable {
  private struct State {
    var received = 0
    var total: Int64 = 0
    var delivered: Int64 = 0
    var tag: String?
    var waited = Duration.zero
    var waitingSince: ContinuousClock.Instant?

    mutating func endWaiting() {
      if let since = waitingSince { waited += .now - since }
      waitingSince = nil
    }
  }

  struct Lap {
    let received: Int
    let waited: Duration
  }

  private let state = Mutex(State())

  /// Entity tag of the response.
  var tag: String? { state.withLock { $0.tag } }
  func answered(_ tag: String?) { state.withLock { $0.tag = tag } }

  /// Bytes given to the reader's side.
  var delivered: Int64 { state.withLock { $0.delivered } }

  /// Bytes that came, of use or not.
  var total: Int64 { state.withLock { $0.total } }

  func received(_ bytes: Int) {
    state.withLock {
      $0.received += bytes
      $0.total += Int64(bytes)
    }
  }
  func delivered(_ bytes: Int) { state.withLock { $0.delivered += Int64(bytes) } }

  /// Time in `body` is the reader's.
  func waiting(_ body: () async -> Void) async {
    state.withLock { $0.waitingSince = .now }
    await body()
    state.withLock { $0.endWaiting() }
  }

  /// What happened since the last lap.
  func lap() -> Lap {
    state.withLock { state in
      let isWaiting = state.waitingSince != nil
      state.endWaiting()
      defer {
        state.received = 0
        state.waited = .zero
        if isWaiting { state.waitingSince = .now }
      }
      return Lap(received: state.received, waited: state.waited)
    }
  }
}
