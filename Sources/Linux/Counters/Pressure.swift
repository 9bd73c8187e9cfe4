/// Pressure stall information of one resource (the kernel's accounting/psi.rst).
package struct Pressure: Sendable, Hashable {
  package struct Line: Sendable, Hashable {
    /// Microseconds stalled since the group was made.
    package var total: UInt64 = 0
    /// Percent of the last 10, 60 and 300 seconds.
    package var average10 = 0.0
    package var average60 = 0.0
    package var average300 = 0.0

    package init() {}
  }

  /// At least one task stalled.
  package var some = Line()
  /// All tasks stalled. The kernel gives none for the processors of the whole machine.
  package var full = Line()

  package init() {}

  /// Nil for a text that is none: no pressure accounting.
  package init?(_ text: [UInt8]) {
    var isPressure = false
    var parsed = Pressure()
    KernelText.forEachLine(text) { line in
      let fields = KernelText.fields(line)
      guard let first = fields.first else { return }
      if KernelText.equal(first, "some") {
        isPressure = true
        parsed.some = Line(fields.dropFirst())
      } else if KernelText.equal(first, "full") {
        parsed.full = Line(fields.dropFirst())
      }
    }
    guard isPressure else { return nil }
    self = parsed
  }
}

extension Pressure.Line {
  fileprivate init(_ fields: ArraySlice<ArraySlice<UInt8>>) {
    for field in fields {
      guard let sign = field.firstIndex(of: 0x3D) else { continue }
      let (name, value) = (field[..<sign], field[(sign + 1)...])
      if KernelText.equal(name, "total") { total = KernelText.number(value) ?? 0 }
      if KernelText.equal(name, "avg10") { average10 = Self.decimal(value) }
      if KernelText.equal(name, "avg60") { average60 = Self.decimal(value) }
      if KernelText.equal(name, "avg300") { average300 = Self.decimal(value) }
    }
  }

  /// Two digits behind the point, as the kernel writes them.
  private static func decimal(_ text: ArraySlice<UInt8>) -> Double {
    let parts = text.split(separator: 0x2E, maxSplits: 1)
    guard let whole = parts.first.flatMap({ KernelText.number($0) }) else { return 0 }
    guard parts.count == 2, let rest = KernelText.number(parts[1]) else { return Double(whole) }
    var scale: UInt64 = 1
    for _ in parts[1] { scale &*= 10 }
    return Double(whole) + Double(rest) / Double(max(1, scale))
  }
}
