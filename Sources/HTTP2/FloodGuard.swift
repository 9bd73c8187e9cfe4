import NIOCore

/// Counts what costs much and carries little. `nil` means fine; a text names the flood.
struct FloodGuard {
  private let burst: Double
  private let perSecond: Double
  private let maxEmptyData: Int
  private var tokens: Double
  private var refilled: NIODeadline?
  private var emptyData = 0

  init(_ configuration: SessionConfiguration) {
    burst = Double(configuration.resetBurst)
    perSecond = Double(configuration.resetsPerSecond)
    maxEmptyData = configuration.maxEmptyData
    tokens = burst
  }

  /// A stream the peer reset (the "rapid reset" attack, CVE-2023-44487): a token bucket.
  mutating func reset(at now: NIODeadline) -> String? {
    if let refilled { tokens = min(burst, tokens + perSecond * Double((now - refilled).nanoseconds) / 1e9) }
    refilled = now
    tokens -= 1
    return tokens < 0 ? "too many reset streams" : nil
  }

  /// A DATA frame with `payload` bytes; one that ends its stream carries something.
  mutating func data(payload: Int, endsStream: Bool) -> String? {
    emptyData = payload == 0 && !endsStream ? emptyData + 1 : 0
    return emptyData > maxEmptyData ? "too many empty DATA frames" : nil
  }
}
