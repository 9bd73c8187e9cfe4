/// Sizes as docker's tools and Kubernetes write them in annotations: `128m`, `1.5Gi`, `64MiB`. Every unit is a power of 1024.
package enum ByteSize {
  private static let units = ["": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50]

  /// Nil for what is no size, and above 1 EiB.
  package static func parse(_ text: String) -> Int? {
    let lower = text.lowercased()
    let number = lower.prefix { $0 == "." || ("0"..."9").contains($0) }
    var unit = lower.dropFirst(number.count)
    if unit.hasPrefix(" ") { unit = unit.dropFirst() }
    for ending in ["ib", "b", "i"] where unit.hasSuffix(ending) {
      unit = unit.dropLast(ending.count)
      break
    }
    guard let shift = units[String(unit)], let value = Double(number), value >= 0 else { return nil }
    let bytes = value * Double(1 << shift)
    return bytes <= Double(1 << 60) ? Int(bytes) : nil
  }
}
