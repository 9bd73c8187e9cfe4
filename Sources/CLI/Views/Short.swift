/// Figures and identifiers as people read them.
enum Short {
  /// 13 digits, as other CRI tools show them; an algorithm's name is dropped.
  static func id(_ id: String) -> String {
    String((id.split(separator: ":").last ?? "").prefix(13))
  }

  /// Decimal units and three digits: `999 B`, `1.23 MB`, `12.3 GB`.
  static func size(_ bytes: UInt64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(bytes) B" : "\(threeDigits(value)) \(units[unit])"
  }

  private static func threeDigits(_ value: Double) -> String {
    let decimals = value < 9.995 ? 100 : value < 99.95 ? 10 : 1
    let scaled = Int((value * Double(decimals)).rounded())
    guard decimals > 1 else { return "\(scaled)" }
    let fraction = "\(scaled % decimals)"
    return "\(scaled / decimals)." + String(repeating: "0", count: decimals == 100 ? 2 - fraction.count : 0) + fraction
  }

  /// The largest unit that fits: `5s`, `12m`, `3h`, `45d`; `-` for a moment that never was.
  static func age(of moment: Int64, now: Int64) -> String {
    guard moment > 0 else { return "-" }
    let seconds = max(0, (now - moment) / 1_000_000_000)
    switch seconds {
    case ..<120: return "\(seconds)s"
    case ..<7200: return "\(seconds / 60)m"
    case ..<172_800: return "\(seconds / 3600)h"
    default: return "\(seconds / 86_400)d"
    }
  }

  /// `1.5s`, `320ms`.
  static func duration(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    return milliseconds < 1000 ? "\(milliseconds)ms" : "\(milliseconds / 1000).\(milliseconds % 1000 / 100)s"
  }
}
