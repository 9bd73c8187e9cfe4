import Linux
import NIOCore

/// The `grpc-timeout` header: at most eight digits and a unit (H, M, S, m, u, n).
enum Timeout {
  static func parse(_ text: String) -> Duration? {
    guard let unit = text.utf8.last, text.utf8.count >= 2, text.utf8.count <= 9 else { return nil }
    let digits = text.dropLast()
    guard digits.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let value = Int64(digits) else { return nil }
    switch unit {
    case UInt8(ascii: "H"): return .seconds(value * 3600)
    case UInt8(ascii: "M"): return .seconds(value * 60)
    case UInt8(ascii: "S"): return .seconds(value)
    case UInt8(ascii: "m"): return .milliseconds(value)
    case UInt8(ascii: "u"): return .microseconds(value)
    case UInt8(ascii: "n"): return .nanoseconds(value)
    default: return nil
    }
  }

  /// In the finest unit that fits, rounded down; never negative.
  static func format(_ timeout: Duration) -> String {
    let (seconds, attoseconds) = max(timeout, .zero).components
    let nanoseconds = attoseconds / 1_000_000_000
    if seconds == 0, nanoseconds < 100_000_000 { return "\(nanoseconds)n" }
    if seconds < 100 { return "\(seconds * 1_000_000 + nanoseconds / 1000)u" }
    if seconds < 100_000 { return "\(seconds * 1000 + nanoseconds / 1_000_000)m" }
    return seconds < 100_000_000 ? "\(seconds)S" : "\(min(seconds / 3600, 99_999_999))H"
  }
}

extension Duration {
  /// For timers, a year at most: event loops cannot count much further.
  var timer: TimeAmount { .nanoseconds(min(nanoseconds, 365 * 86_400 * 1_000_000_000)) }

  /// For messages: `2.5s`, `300ms`.
  var readable: String {
    let milliseconds = nanoseconds / 1_000_000
    if milliseconds < 1000 { return "\(milliseconds)ms" }
    let tenths = milliseconds / 100
    return tenths % 10 == 0 ? "\(tenths / 10)s" : "\(tenths / 10).\(tenths % 10)s"
  }
}
