import BerthAPI

/// A pull as it is shown: bars on a terminal, a line for each event elsewhere, nothing when quiet.
struct PullDisplay {
  private let console: Console
  private let quiet: Bool
  private var screen: Screen?
  private var board = LayerBoard()
  private var name: String
  private let start = ContinuousClock.now

  init(reference: String, console: Console, quiet: Bool) {
    self.console = console
    self.quiet = quiet
    name = reference
    screen = quiet ? nil : Screen(console)
  }

  /// Pulls and shows; returns the image's ID.
  static func pull(_ request: Berth_V1_PullRequest, _ runtime: Runtime, quiet: Bool, _ console: Console) async throws -> String {
    var display = PullDisplay(reference: request.reference, console: console, quiet: quiet)
    var id: String?
    do {
      try await runtime.pull(request) { event in
        display.show(event)
        if case .image(let image) = event.event { id = image.id }
      }
    } catch {
      display.screen?.clear()
      throw error
    }
    guard let id else { throw Failure("pull \(request.reference): berthd ended the pull without an image") }
    return id
  }

  mutating func show(_ event: Berth_V1_PullProgress) {
    switch event.event {
    case .resolved(let resolved):
      name = resolved.reference
      board.expect(layers: Int(resolved.layers), bytes: resolved.totalBytes)
      say("\(resolved.reference) is \(resolved.digest), \(resolved.layers) layers, \(Short.size(resolved.totalBytes))")
    case .layer(let layer):
      let changed = board.apply(layer)
      if changed, layer.phase != .waiting, layer.phase != .fetching { say("\(Short.id(layer.digest))  \(LayerBoard.words(layer))") }
    case .image(let image): finish(image)
    case nil: break
    }
    if board.count > 0, case .layer? = event.event { draw() }
  }

  private mutating func draw() {
    let (name, board) = (name, board)
    screen?.draw { width in [String(name.prefix(width))] + board.lines(width: width) }
  }

  private mutating func finish(_ image: Berth_V1_ImportedImage) {
    screen?.clear()
    guard !quiet else { return }
    let how = board.count == 0 ? "" : ", \(Short.size(board.fetched)) fetched in \(Short.duration(ContinuousClock.now - start))"
    console.note("\(name): \(Short.id(image.id))\(how)")
  }

  /// For logs; on a terminal the bars say it.
  private func say(_ line: String) {
    if screen == nil, !quiet { console.note(line) }
  }
}

/// An import as it is shown: each image when it is complete.
struct ImportDisplay {
  private let console: Console
  private var screen: Screen?
  private var board = LayerBoard()

  init(console: Console) {
    self.console = console
    screen = Screen(console)
  }

  mutating func show(_ event: Berth_V1_ImportProgress) {
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
