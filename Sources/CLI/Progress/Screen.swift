import Linux

/// A block of lines that is drawn over itself: terminals only.
struct Screen {
  private let console: Console
  private let clock = ContinuousClock()
  private var height = 0
  private var drawn: ContinuousClock.Instant?

  /// Nil where the console's error output is no terminal.
  init?(_ console: Console) {
    guard Terminal.columns(of: console.errors) != nil else { return nil }
    self.console = console
  }

  private static let interval = Duration.milliseconds(80)

  /// Draws, unless it did so a moment ago; the terminal's width is asked for each time, windows change.
  mutating func draw(force: Bool = false, _ lines: (_ width: Int) -> [String]) {
    let now = clock.now
    if let drawn, !force, drawn.duration(to: now) < Self.interval { return }
    drawn = now
    let fresh = lines((Terminal.columns(of: console.errors) ?? 80) - 1)
    console.write(Array((Self.erase(height) + fresh.map { $0 + "\n" }.joined()).utf8), to: console.errors)
    height = fresh.count
  }

  mutating func clear() {
    console.write(Array(Self.erase(height).utf8), to: console.errors)
    height = 0
  }

  /// Up to the block's first line, then everything below is gone.
  static func erase(_ height: Int) -> String { height == 0 ? "" : "\u{1B}[\(height)A\r\u{1B}[J" }
}
