import BerthAPI
import SwiftProtobuf

/// A pull as it is shown: bars on a terminal, a line for each event elsewhere, nothing when quiet.
struct PullDisplay {
  private var display: TransferDisplay

  init(reference: String, console: Console, manner: TransferDisplay.Manner) {
    display = TransferDisplay(reference: reference, console: console, manner: manner)
  }

  /// Pulls and shows; returns the image's ID.
  static func pull(
    _ request: Berth_V1_PullRequest, _ runtime: Runtime, _ manner: TransferDisplay.Manner, _ console: Console
  ) async throws -> String {
    var display = PullDisplay(reference: request.reference, console: console, manner: manner)
    var id: String?
    do {
      try await runtime.pull(request) { event in
        try display.show(event)
        if case .image(let image) = event.event { id = image.id }
      }
    } catch {
      display.display.clear()
      throw error
    }
    guard let id else { throw Failure("pull \(request.reference): berthd ended the pull without an image") }
    return id
  }

  mutating func show(_ event: Berth_V1_PullProgress) throws {
    if display.manner == .json { try display.console.print(json: event) }
    switch event.event {
    case .resolved(let resolved): display.show(resolved)
    case .layer(let layer): display.show(layer)
    case .image(let image): display.finish(Short.id(image.id), "fetched")
    case nil: break
    }
  }
}

/// An import as it is shown: each image when it is complete.
struct ImportDisplay {
  private let console: Console
  private var screen: Screen?
  private var board = LayerBoard()
  private let json: Bool

  init(console: Console, json: Bool = false) {
    self.json = json
    self.console = console
    screen = Screen(console)
  }

  mutating func show(_ event: Berth_V1_ImportProgress) throws {
    if json { return try console.print(json: event) }
    switch event.event {
    case .layer(let layer):
      _ = board.apply(layer)
      let board = board
      screen?.draw { board.lines(width: $0) }
    case .image(let image):
      finish()
      for reference in image.references.isEmpty ? [image.id] : image.references { console.print(reference) }
    case nil: break
    }
  }

  mutating func finish() {
    screen?.clear()
    board = LayerBoard()
  }
}
