import Core

/// How one blob gets into a registry: what to do next, given what has happened. At first all of it in one request, as every registry takes it; after
/// a break from where the registry stands, in chunks that the connection seems to allow.
struct UploadCourse {
  enum Step: Equatable {
    /// Ask for an upload session.
    case begin
    /// All bytes in the request that ends the session.
    case whole
    case chunk(from: Int64, count: Int64)
    /// End the session: all bytes are there.
    case close
    /// Ask how much of the session's bytes the registry has.
    case inquire
    case wait(Duration)
    case stop
  }

  private enum Mode {
    case whole
    case chunks(Int64)
  }

  private enum State {
    /// No session. May become `open`.
    case closed
    /// `confirmed` bytes are there. May become `unknown`, `closed`, or be the last one.
    case open(confirmed: Int64)
    /// A connection broke after `sent` bytes of the session had been given to it. May become `open`, `closed`.
    case unknown(sent: Int64)
    case failed
  }

  static let largestChunk: Int64 = 64 << 20
  static let smallestChunk: Int64 = 256 << 10

  private let size: Int64
  private let backoff: Backoff
  private let attempts: Int
  private var mode = Mode.whole
  private var state = State.closed
  private var minimumChunk: Int64 = smallestChunk
  /// Failures since bytes were last confirmed.
  private var failures = 0
  /// The most that was ever confirmed: beginning again is no progress.
  private var best: Int64 = 0
  private var pause: Duration?

  init(size: Int64, policy: TransferPolicy) {
    self.size = size
    backoff = Backoff(base: policy.backoffBase, cap: policy.backoffCap)
    attempts = policy.resumes
  }

  mutating func next() -> Step {
    if let pause {
      self.pause = nil
      return .wait(pause)
    }
    switch (state, mode) {
    case (.failed, _): return .stop
    case (.closed, _): return .begin
    case (.unknown, _): return .inquire
    case (.open(let confirmed), .whole) where confirmed == 0: return .whole
    case (.open(let confirmed), .whole): return step(confirmed, Self.largestChunk)
    case (.open(let confirmed), .chunks(let chunk)): return step(confirmed, max(chunk, minimumChunk))
    }
  }

  private func step(_ confirmed: Int64, _ chunk: Int64) -> Step {
    confirmed == size ? .close : .chunk(from: confirmed, count: min(chunk, size - confirmed))
  }

  /// A session was given; `minimum` is what the registry wants in each chunk (`OCI-Chunk-Min-Length`).
  mutating func began(minimum: Int64?) {
    if case .failed = state { return }
    minimumChunk = max(Self.smallestChunk, min(minimum ?? 0, 1 << 40))
    state = .open(confirmed: 0)
  }

  /// The registry has so many bytes of this session.
  mutating func stands(at confirmed: Int64) {
    guard (0...size).contains(confirmed) else { return lost() }
    if confirmed > best {
      best = confirmed
      failures = 0
    }
    if confirmed == 0, case .unknown(let sent) = state { return lost(after: sent) }
    if case .whole = mode, confirmed > 0 { mode = .chunks(Self.largestChunk) }
    state = .open(confirmed: confirmed)
  }

  /// The registry knows nothing of the session any more.
  mutating func lost() {
    if case .unknown(let sent) = state { return lost(after: sent) }
    state = .closed
  }

  /// Chunks half as large as what broke last time, so that some get through.
  private mutating func lost(after sent: Int64) {
    let last: Int64 = if case .chunks(let chunk) = mode { min(chunk, max(sent, 1)) } else { sent }
    if sent > 0 { mode = .chunks(max(Self.smallestChunk, min(Self.largestChunk, last / 2))) }
    state = .closed
  }

  /// The connection broke after `sent` bytes of the request, for a reason that may pass.
  mutating func broke(sent: Int64, retryAfter: Duration?) {
    failures += 1
    guard failures < attempts else { return state = .failed }
    pause = max(backoff.pause(failures), retryAfter ?? .zero)
    if case .open = state { state = .unknown(sent: sent) }
  }

  /// The registry, or something before it, takes no request so large (413).
  mutating func tooLarge() {
    failures += 1
    let chunk: Int64 = if case .chunks(let chunk) = mode { chunk / 2 } else { min(32 << 20, size / 2) }
    guard chunk >= Self.smallestChunk else { return state = .failed }
    mode = .chunks(chunk)
    state = .closed
  }
}
