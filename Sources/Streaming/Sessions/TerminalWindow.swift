import Core
import NIOCore

/// The size that a client's terminal has, and the one that the session was told last: one call at a time, the newest size wins.
struct TerminalWindow {
  var wanted: ResizeParser.Size?
  var isTelling = false
}

extension RemoteCommand {
  /// What is typed waits so long for a size that nobody takes.
  private static let sizeTime = TimeAmount.seconds(1)

  func resize(_ size: ResizeParser.Size) {
    guard command.streams.terminal else { return }
    window.wanted = size
    tellSize()
  }

  /// A size that came before the session is told when it begins, and before anything that was typed: programs ask for it as soon as they read.
  func tellSize() {
    guard case .running(let session) = state, !window.isTelling else { return }
    guard let size = window.wanted else { return letInputBegin() }
    window.wanted = nil
    window.isTelling = true
    let bound = NIOLoopBound(self, eventLoop: loop)
    if beginInput != nil { loop.scheduleTask(in: Self.sizeTime) { bound.value.letInputBegin() } }
    Errand.run(from: loop, command.work) {
      try await session.resize(columns: size.columns, rows: size.rows)
    } then: { _ in
      bound.value.window.isTelling = false
      bound.value.tellSize()
    }
  }
}
