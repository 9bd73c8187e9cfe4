extension Duration {
  /// `1h30m`, `2.5s`, `300ms`: durations as Go writes them, which is what containerd's files contain. Never negative.
  package init?(goSyntax text: String) {
    guard !text.isEmpty else { return nil }
    var rest = Substring(text)
    var seconds = 0.0
    if rest == "0" { rest = "" }
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { !($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(unit.count)
      guard let value = Double(number), let length = Self.unitLength(unit) else { return nil }
      seconds += value * length
    }
    guard seconds < 1e9 else { return nil }
    self = .seconds(seconds)
  }

  /// Seconds.
  private static func unitLength(_ unit: Substring) -> Double? {
    switch unit {
    case "h": 3600
    case "m": 60
    case "s": 1
    case "ms": 1e-3
    case "us", "µs", "μs": 1e-6
    case "ns": 1e-9
    default: nil
    }
  }
}
