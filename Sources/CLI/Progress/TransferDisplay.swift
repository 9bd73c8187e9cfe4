import BerthAPI

/// Layers on their way, in or out, as they are shown: redrawn lines on a terminal; elsewhere a line for each event, and one every few seconds.
struct TransferDisplay {
  /// How an operation tells about itself.
  enum Manner {
    case people, quiet
    /// One JSON object a line.
    case json
  }

  let console: Console
  let manner: Manner
  private var screen: Screen?
  private(set) var board = LayerBoard()
  private var rates = TransferRates()
  private var name: String
  private let start = ContinuousClock.now
  private var told = ContinuousClock.now

  /// Between two lines where there is no terminal.
  private static let interval = Duration.seconds(5)

  init(reference: String, console: Console, manner: Manner) {
    self.console = console
    self.manner = manner
    name = reference
    screen = manner == .people ? Screen(console) : nil
  }

  mutating func show(_ resolved: Berth_V1_Resolved) {
    name = resolved.reference
    board.expect(layers: Int(resolved.layers), bytes: resolved.totalBytes)
    say("\(resolved.reference) is \(resolved.digest), \(resolved.layers) layers, \(Short.size(resolved.totalBytes))")
  }

  mutating func show(_ layer: Berth_V1_LayerProgress, now: ContinuousClock.Instant = .now) {
    let changed = board.apply(layer)
    rates.note(layer, at: now)
    if changed, ![.waiting, .fetching, .checking, .uploading].contains(layer.phase) {
      say("\(Short.id(layer.digest))  \(LayerBoard.words(layer))")
    } else if now - told >= Self.interval {
      told = now
      say("\(board.summary), \(Short.size(rates.total(at: now)))/s")
    }
    draw(now)
  }

  private mutating func draw(_ now: ContinuousClock.Instant) {
    let (name, board, rates) = (name, board, rates)
    screen?.draw { width in [String(name.prefix(width))] + board.lines(width: width, rates, at: now) }
  }

  /// Nothing more comes: `what` became of it; with how much was fetched or sent, and how long that took.
  mutating func finish(_ what: String, _ verb: String) {
    screen?.clear()
    guard manner == .people else { return }
    let how = board.count == 0 ? "" : ", \(Short.size(board.fetched)) \(verb) in \(Short.duration(ContinuousClock.now - start))"
    console.note("\(name): \(what)\(how)")
  }

  mutating func clear() { screen?.clear() }

  /// For logs; on a terminal the bars say it.
  private func say(_ line: String) {
    if screen == nil, manner == .people { console.note(line) }
  }
}
