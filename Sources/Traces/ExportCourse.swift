import Core

/// The attempts to send one batch, as a value: the pauses between them, and when to give up.
struct ExportCourse {
  /// Of the first pause; each is up to twice as long as the one before.
  private static let firstPause = Duration.seconds(1)
  private static let longestPause = Duration.seconds(16)

  private let end: ContinuousClock.Instant
  private var pause = ExportCourse.firstPause

  enum Step: Equatable {
    case taken(rejected: Int64, message: String)
    case pause(Duration)
    case failed(reason: String)
  }

  init(patience: Duration, began: ContinuousClock.Instant) { end = began + patience }

  func left(_ now: ContinuousClock.Instant) -> Duration { end - now }

  /// - Parameter isClosing: nobody waits for another attempt any more.
  mutating func next(after outcome: ExportOutcome, now: ContinuousClock.Instant, isClosing: Bool) -> Step {
    switch outcome {
    case .taken(let rejected, let message): return .taken(rejected: rejected, message: message)
    case .refused(let reason): return .failed(reason: reason)
    case .later(let asked, let reason):
      // Half of it at random, so that all nodes of a cluster do not come back at once.
      let own = pause / 2 + pause / 2 * Double.random(in: 0...1)
      pause = min(pause * 2, Self.longestPause)
      let wait = asked ?? own
      return isClosing || now + wait >= end ? .failed(reason: reason) : .pause(wait)
    }
  }
}
