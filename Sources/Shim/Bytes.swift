import CLinux

/// All text is bytes: comparing a `String` needs Unicode tables that Embedded Swift does not carry.
typealias Bytes = [UInt8]

extension [UInt8] {
  init(_ text: StaticString) {
    self = Bytes(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  init(cString: UnsafePointer<CChar>) {
    let count = strlen(cString)
    self = cString.withMemoryRebound(to: UInt8.self, capacity: count) { Bytes(UnsafeBufferPointer(start: $0, count: count)) }
  }

  init(decimal number: Int64) {
    var digits = Bytes()
    var rest = number.magnitude
    repeat {
      digits.append(48 + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    if number < 0 { digits.append(45) }
    self = digits.reversed()
  }

  init(decimal number: Int32) { self.init(decimal: Int64(number)) }

  /// The words of strerror(3).
  init(errno number: Int32) { self.init(cString: strerror(number)) }

  static func + (left: Bytes, right: StaticString) -> Bytes { left + Bytes(right) }
  static func + (left: StaticString, right: Bytes) -> Bytes { Bytes(left) + right }

  func matches(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && withUnsafeBufferPointer { count == 0 || memcmp($0.baseAddress!, text.utf8Start, count) == 0 }
  }

  func hasPrefix(_ text: StaticString) -> Bool { Bytes(prefix(text.utf8CodeUnitCount)).matches(text) }

  /// The index at which `text` begins, searched from `start`.
  func find(_ text: StaticString, from start: Int = 0) -> Int? {
    let length = text.utf8CodeUnitCount
    guard length <= count, start <= count - length else { return nil }
    return (start...(count - length)).first { at in
      withUnsafeBufferPointer { memcmp($0.baseAddress! + at, text.utf8Start, length) == 0 }
    }
  }

  /// A non-negative decimal number that fills all of it, blanks around it aside; nil for anything else.
  var number: Int64? {
    var value: Int64 = 0
    var seen = false
    for byte in self where byte != 10 && byte != 32 {
      guard byte >= 48, byte <= 57, value < Int64.max / 10 - 10 else { return nil }
      value = value * 10 + Int64(byte - 48)
      seen = true
    }
    return seen ? value : nil
  }

  func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    (self + [0]).withUnsafeBufferPointer { buffer in
      buffer.baseAddress!.withMemoryRebound(to: CChar.self, capacity: buffer.count) { body($0) }
    }
  }
}

/// C's `const char *const *`: nil entries become NULL, so several arrays and single strings can share one call.
func withCStrings<R>(_ strings: [Bytes?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
  var block = Bytes()
  for text in strings { if let text { block += text + [0] } }
  block.append(0)
  return block.withUnsafeBufferPointer { buffer in
    buffer.baseAddress!.withMemoryRebound(to: CChar.self, capacity: buffer.count) { base in
      var pointers: [UnsafePointer<CChar>?] = []
      var offset = 0
      for text in strings {
        pointers.append(text == nil ? nil : base + offset)
        offset += text.map { $0.count + 1 } ?? 0
      }
      return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
  }
}

/// A line in the shim's own log.
func note(_ message: Bytes) {
  let line = message + [10]
  _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}
