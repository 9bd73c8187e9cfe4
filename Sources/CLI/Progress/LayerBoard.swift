import BerthAPI

/// The layers of one image as they arrive: what is known, and how it looks on a terminal or in a log.
struct LayerBoard: Equatable {
  private var layers: [UInt32: Berth_V1_LayerProgress] = [:]
  /// Announced by the manifest, before the first layer says anything.
  private var expected = 0
  private var expectedBytes: UInt64 = 0

  /// Layers beyond this many are shown as one line, so that the picture fits a screen.
  static let rows = 12

  mutating func expect(layers: Int, bytes: UInt64) { (expected, expectedBytes) = (layers, bytes) }

  /// Returns whether the layer's phase changed: what a log wants to hear of.
  mutating func apply(_ layer: Berth_V1_LayerProgress) -> Bool {
    let before = layers.updateValue(layer, forKey: layer.index)
    return before?.phase != layer.phase
  }

  var count: Int { max(expected, layers.count) }
  var complete: Int { layers.values.count { $0.isComplete } }
  /// Compressed bytes that went over the network.
  var fetched: UInt64 { layers.values.reduce(0) { $0 + ($1.phase == .present || $1.phase == .mounted ? 0 : $1.done) } }

  /// A line for each layer in work, complete ones only while there is room, and a sum.
  func lines(width: Int, _ rates: TransferRates = TransferRates(), at now: ContinuousClock.Instant = .now) -> [String] {
    let sorted = layers.values.sorted { $0.index < $1.index }
    let active = sorted.filter { !$0.isComplete }
    let shown = sorted.count <= Self.rows ? sorted : Array(active.prefix(Self.rows))
    return shown.map { Self.line($0, width: width, rate: rates.rate(of: $0.index, at: now)) } + [
      summary + Self.perSecond(rates.total(at: now))
    ]
  }

  var summary: String {
    let total = expectedBytes > 0 ? " of \(Short.size(expectedBytes))" : ""
    return "\(complete) of \(count) layers, \(Short.size(layers.values.reduce(0) { $0 + $1.done }))\(total)"
  }

  /// `a3ed95caeb02f  [=====>      ]  12.3 MB / 31.4 MB`, no wider than `width`.
  static func line(_ layer: Berth_V1_LayerProgress, width: Int, rate: UInt64? = nil) -> String {
    let head = Short.id(layer.digest) + "  "
    let text = words(layer) + (rate.map(perSecond) ?? "")
    let room = width - head.unicodeScalars.count - text.unicodeScalars.count - 5
    guard layer.phase == .fetching || layer.phase == .uploading, layer.total > 0, room >= 10 else {
      return String((head + text).prefix(width))
    }
    return head + bar(done: layer.done, total: layer.total, width: min(room, 40)) + "  " + text
  }

  private static func perSecond(_ rate: UInt64) -> String { rate == 0 ? "" : "  \(Short.size(rate))/s" }

  /// What a layer is at, in words.
  static func words(_ layer: Berth_V1_LayerProgress) -> String {
    switch layer.phase {
    case .waiting: "waiting"
    case .fetching: layer.total > 0 ? "\(Short.size(layer.done)) / \(Short.size(layer.total))" : Short.size(layer.done)
    case .uploading: "sent \(Short.size(layer.done)) / \(Short.size(layer.total))"
    case .checking: "checking"
    case .mounted: "taken from another repository"
    case .committing: "committing"
    case .done: "done  \(Short.size(layer.done))"
    case .present: "already here"
    case .retrying: layer.detail.isEmpty ? "trying again" : "trying again: \(layer.detail)"
    case .UNRECOGNIZED: layer.detail
    }
  }

  private static func bar(done: UInt64, total: UInt64, width: Int) -> String {
    let filled = min(width, Int(Double(width) * Double(done) / Double(total)))
    let head = filled < width ? ">" : ""
    return "[" + String(repeating: "=", count: filled) + head + String(repeating: " ", count: max(0, width - filled - head.count)) + "]"
  }
}

extension Berth_V1_LayerProgress {
  fileprivate var isComplete: Bool { phase == .done || phase == .present || phase == .mounted }
}
