import Core

/// Which host to ask next, and when to stop: mirrors in order, then the registry; what failed for a passing reason is asked again after a pause.
struct HostWalk: Sendable {
  enum Step: Equatable {
    /// Ask the host of this index.
    case ask(Int)
    case wait(Duration)
    case stop
  }

  private enum Verdict {
    case open
    case again(AttemptFailure)
    case out(AttemptFailure)
  }

  private let backoff: Backoff
  private let retryAfterCap: Duration
  private var verdicts: [Verdict]
  private var rounds: Int
  private var round = 0
  private var cursor = 0
  private var pause: Duration?
  /// Somebody was asked in this round: one in which all hosts were left alone does not count.
  private var hasAsked = false
  /// Time spent in rounds that do not count.
  private var held = Duration.zero

  init(hosts: Int, rounds: Int, policy: TransferPolicy) {
    backoff = Backoff(base: policy.backoffBase, cap: policy.backoffCap)
    retryAfterCap = policy.retryAfterCap
    verdicts = Array(repeating: .open, count: hosts)
    self.rounds = rounds
  }

  mutating func next() -> Step {
    if let pause {
      self.pause = nil
      return .wait(pause)
    }
    while cursor < verdicts.count {
      if case .out = verdicts[cursor] { cursor += 1 } else { return .ask(cursor) }
    }
    guard let wanted = wantedPause(), hasAsked ? round + 1 < rounds : held < retryAfterCap * 5 else { return .stop }
    let wait = wanted > .zero ? wanted + backoff.pause(0) : backoff.pause(round)
    if hasAsked { round += 1 } else { held += wait }
    hasAsked = false
    cursor = 0
    return .wait(wait)
  }

  /// The host asked last failed; the next one follows.
  mutating func failed(_ failure: AttemptFailure) {
    let isPatient = (failure.retryAfter ?? .zero) <= retryAfterCap
    verdicts[cursor] = failure.isTransient && isPatient ? .again(failure) : .out(failure)
    if failure.kind != .held { hasAsked = true }
    cursor += 1
  }

  /// The host asked last brought something before it failed: it is asked again first, and counting begins anew with `rounds`.
  mutating func interrupted(rounds: Int) {
    self.rounds = rounds
    round = 0
    for index in verdicts.indices { if case .again = verdicts[index] { verdicts[index] = .open } }
    verdicts[cursor] = .open
    pause = backoff.pause(0)
  }

  /// The shortest pause that a host which may be asked again wants; `nil` where there is none.
  private func wantedPause() -> Duration? {
    verdicts.compactMap { if case .again(let failure) = $0 { failure.retryAfter ?? .zero } else { nil } }.min()
  }

  /// All that went wrong, the last host's failure (the registry's own) first and with its code.
  var fault: Fault {
    let failures = verdicts.compactMap { verdict -> Fault? in
      switch verdict {
      case .open: nil
      case .again(let failure), .out(let failure): failure.fault
      }
    }
    guard let last = failures.last else { return Fault(.failedPrecondition, "its hosts.toml allows no host to be asked") }
    let earlier = failures.dropLast().map { "; before that \($0.message)" }.joined()
    return Fault(last.code, last.message + earlier, cause: last.cause ?? last)
  }
}
