import BerthAPI
import Support
import SwiftProtobuf
import Testing

@testable import berth

@Suite struct ProgressTests {
  static func layer(_ index: UInt32, _ phase: Berth_V1_LayerProgress.Phase, done: UInt64 = 0, total: UInt64 = 0) -> Berth_V1_LayerProgress {
    .with { ($0.index, $0.digest, $0.phase, $0.done, $0.total) = (index, "sha256:0123456789abcdef", phase, done, total) }
  }

  @Test func aBarFitsItsWidthAndShowsItsShare() {
    let line = LayerBoard.line(Self.layer(0, .fetching, done: 500_000, total: 1_000_000), width: 60)
    #expect(line == "0123456789abc  [============>           ]  500 kB / 1.00 MB")
    #expect(line.count <= 60)
    #expect(LayerBoard.line(Self.layer(0, .fetching, done: 5, total: 10), width: 20).count == 20)
    #expect(LayerBoard.line(Self.layer(0, .fetching, done: 20, total: 10), width: 80).contains("=]"))
  }

  @Test func manyLayersAreShownAsThoseInWorkAndASum() {
    var board = LayerBoard()
    board.expect(layers: 30, bytes: 1000)
    for index in 0..<28 as Range<UInt32> { _ = board.apply(Self.layer(index, index < 25 ? .done : .fetching, done: 10)) }
    let lines = board.lines(width: 80)
    #expect(lines.count == 4)
    #expect(lines.last == "25 of 30 layers, 280 B of 1.00 kB")
  }

  @Test func onlyANewPhaseIsNews() {
    var board = LayerBoard()
    let news = [
      board.apply(Self.layer(0, .fetching, done: 1)), board.apply(Self.layer(0, .fetching, done: 2)),
      board.apply(Self.layer(0, .done, done: 2)),
    ]
    #expect(news == [true, false, true])
  }

  @Test func withoutATerminalAPullIsALineForEachEvent() throws {
    try withScratch { directory in
      let captured = try CapturedConsole(directory)
      var display = PullDisplay(reference: "app", console: captured.console, manner: .people)
      try display.show(.with { ($0.resolved.reference, $0.resolved.digest, $0.resolved.layers) = ("x.io/app:1", "sha256:ff", 1) })
      try display.show(.with { $0.layer = Self.layer(0, .fetching, done: 1, total: 2) })
      try display.show(.with { $0.layer = Self.layer(0, .done, done: 2, total: 2) })
      #expect(captured.errorOutput == "x.io/app:1 is sha256:ff, 1 layers, 0 B\n0123456789abc  done  2 B\n")
    }
  }

  @Test func aScreenIsErasedBeforeItIsDrawnAgain() {
    #expect(Screen.erase(0) == "")
    #expect(Screen.erase(3) == "\u{1B}[3A\r\u{1B}[J")
  }
}
