import BerthAPI

/// Bytes per second of each layer and of all of them, over the last few seconds.
struct TransferRates {
  private struct Sample {
    let at: ContinuousClock.Instant
    let done: UInt64
  }

  private static let window = Duration.seconds(4)

  private var samples: [UInt32: [Sample]] = [:]

  /// A layer that begins again, or goes back, is measured anew.
  mutating func note(_ layer: Berth_V1_LayerProgress, at now: ContinuousClock.Instant) {
    guard layer.phase == .fetching || layer.phase == .uploading else { return samples[layer.index] = nil }
    var known = samples[layer.index] ?? []
    if let last = known.last, last.done > layer.done { known = [] }
    known.append(Sample(at: now, done: layer.done))
    let recent = known.lastIndex { $0.at + Self.window < now } ?? 0
    samples[layer.index] = Array(known[recent...])
  }

  /// `nil` before there is anything to measure.
  func rate(of layer: UInt32, at now: ContinuousClock.Instant) -> UInt64? {
    guard let known = samples[layer], let first = known.first, let last = known.last else { return nil }
    let elapsed = max(now - first.at, .milliseconds(1)) / .seconds(1)
    return known.count < 2 || elapsed < 0.2 ? nil : UInt64(Double(last.done - first.done) / elapsed)
  }

  func total(at now: ContinuousClock.Instant) -> UInt64 { samples.keys.reduce(0) { $0 + (rate(of: $1, at: now) ?? 0) } }
}
