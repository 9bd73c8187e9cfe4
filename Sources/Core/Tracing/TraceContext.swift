/// 128 bits that name a trace, never all zero.
package struct TraceID: Sendable, Hashable {
  package let high: UInt64
  package let low: UInt64

  package init?(high: UInt64, low: UInt64) {
    guard high | low != 0 else { return nil }
    (self.high, self.low) = (high, low)
  }

  /// From the system's generator.
  package static func random() -> TraceID {
    TraceID(high: .random(in: .min ... .max), low: .random(in: 1 ... .max))!
  }

  /// In network order.
  package var bytes: [UInt8] { high.networkBytes + low.networkBytes }
}

extension TraceID: CustomStringConvertible {
  package var description: String { high.hexadecimal + low.hexadecimal }
}

/// 64 bits that name a span within its trace, never zero.
package struct SpanID: Sendable, Hashable {
  package let number: UInt64

  package init?(_ number: UInt64) {
    guard number != 0 else { return nil }
    self.number = number
  }

  package static func random() -> SpanID { SpanID(.random(in: 1 ... .max))! }

  package var bytes: [UInt8] { number.networkBytes }
}

extension SpanID: CustomStringConvertible {
  package var description: String { number.hexadecimal }
}

/// Who a span is, as it goes over the borders of processes (W3C Trace Context, level 2).
package struct TraceContext: Sendable, Hashable {
  package let trace: TraceID
  package let span: SpanID
  /// The trace is recorded.
  package let isSampled: Bool
  /// That the trace's ID is random was promised by who began it.
  let isRandom: Bool
  /// What tracing systems say to each other about this trace (`tracestate`), passed on as it is; empty for nothing.
  package let state: String

  package init(trace: TraceID, span: SpanID, isSampled: Bool, isRandom: Bool = false, state: String = "") {
    (self.trace, self.span, self.isSampled, self.isRandom, self.state) = (trace, span, isSampled, isRandom, state)
  }

  /// From the headers of those names, each as often as it came. `nil` where there is no parent, or none that can be understood; a `tracestate`
  /// that cannot be is left out.
  package init?(parents: [String], states: [String]) {
    guard parents.count == 1, let parent = TraceParent(parents[0]) else { return nil }
    self.init(
      trace: parent.trace, span: parent.span, isSampled: parent.flags & 1 != 0, isRandom: parent.flags & 2 != 0,
      state: TraceState.valid(states))
  }

  /// The `traceparent` header.
  package var parent: String { "00-\(trace)-\(span)-0\(flags)" }

  /// Those of `traceparent`.
  package var flags: UInt32 { (isSampled ? 1 : 0) | (isRandom ? 2 : 0) }

  /// Both headers, the second one where there is something in it.
  package var headers: [(key: String, value: String)] {
    [("traceparent", parent)] + (state.isEmpty ? [] : [("tracestate", state)])
  }

  /// A span below this one.
  func child() -> TraceContext {
    TraceContext(trace: trace, span: .random(), isSampled: isSampled, isRandom: isRandom, state: state)
  }
}

/// `traceparent`, read (Trace Context, section 3.2): version, trace, span and flags in lower-case hexadecimal digits.
private struct TraceParent {
  let trace: TraceID
  let span: SpanID
  let flags: UInt8

  init?(_ text: String) {
    let bytes = Array(text.utf8)
    let dash = UInt8(ascii: "-")
    guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash else { return nil }
    guard let version = Self.number(bytes[0..<2]), version != 0xFF else { return nil }
    // Later versions may have more, after a dash.
    guard bytes.count == 55 || (version > 0 && bytes[55] == dash) else { return nil }
    guard let high = Self.number(bytes[3..<19]), let low = Self.number(bytes[19..<35]), let trace = TraceID(high: high, low: low) else {
      return nil
    }
    guard let span = Self.number(bytes[36..<52]).flatMap(SpanID.init), let flags = Self.number(bytes[53..<55]) else { return nil }
    (self.trace, self.span, self.flags) = (trace, span, UInt8(flags))
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    return value
  }
}

/// `tracestate` (Trace Context, section 3.3): up to 32 members `key=value`, joined by commas.
private enum TraceState {
  private static let members = 32
  private static let length = 512

  /// The members of all headers; empty where any is wrong.
  static func valid(_ headers: [String]) -> String {
    let members = headers.flatMap { $0.split(separator: ",") }.map(\.trimmed).filter { !$0.isEmpty }
    guard members.count <= Self.members, members.allSatisfy(isMember) else { return "" }
    guard Set(members.map { $0.prefix { $0 != "=" } }).count == members.count else { return "" }
    let joined = members.joined(separator: ",")
    return joined.utf8.count <= length ? joined : ""
  }

  private static func isMember(_ member: Substring) -> Bool {
    guard let sign = member.utf8.firstIndex(of: UInt8(ascii: "=")) else { return false }
    let (key, value) = (member.utf8[..<sign], member.utf8[member.utf8.index(after: sign)...])
    guard let first = key.first, isLetterOrDigit(first), key.count <= 256, !value.isEmpty, value.count <= 256 else { return false }
    return key.allSatisfy { isLetterOrDigit($0) || "_-*/@".utf8.contains($0) }
      && value.allSatisfy { $0 >= 0x20 && $0 <= 0x7E && $0 != UInt8(ascii: "=") }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}

extension UInt64 {
  fileprivate var networkBytes: [UInt8] { stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) } }

  fileprivate var hexadecimal: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
