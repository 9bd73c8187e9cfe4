/// The runtime's JSON log: one object a line, of which `level` and `msg` matter.
enum RuntimeLog {
  /// The message of the last line that is an error; else what was written there by a runtime that died before it could log (the dynamic linker's words, a panic).
  static func lastError(_ path: Bytes) -> Bytes? {
    guard let content = Files.read(path, last: 16 << 10), !content.isEmpty else { return nil }
    var found: Bytes?
    var plain: Bytes?
    for line in content.split(separator: 10) {
      let line = Bytes(line)
      if line[0] != 0x7b {
        plain = line
      } else if line.find("\"level\":\"error\"") != nil || line.find("\"level\": \"error\"") != nil {
        found = message(line) ?? found
      }
    }
    return found ?? plain
  }

  private static func message(_ line: Bytes) -> Bytes? {
    guard let key = line.find("\"msg\":") else { return nil }
    guard let quote = line[(key + 6)...].firstIndex(of: 0x22) else { return nil }
    return unescape(line[(quote + 1)...])
  }

  /// Up to the closing quote.
  private static func unescape(_ text: ArraySlice<UInt8>) -> Bytes {
    var result = Bytes()
    var index = text.startIndex
    while index < text.endIndex, text[index] != 0x22 {
      if text[index] != 0x5c {
        result.append(text[index])
        index += 1
      } else {
        index = unescapeOne(text, index + 1, &result)
      }
    }
    return result
  }

  private static func unescapeOne(_ text: ArraySlice<UInt8>, _ index: Int, _ result: inout Bytes) -> Int {
    guard index < text.endIndex else { return index }
    switch text[index] {
    case 0x6e: result.append(10)
    case 0x74: result.append(9)
    case 0x72: result.append(13)
    case 0x75:
      guard index + 4 < text.endIndex else { return text.endIndex }
      append(scalar: text[(index + 1)...(index + 4)].reduce(0) { $0 << 4 | hexadecimal($1) }, to: &result)
      return index + 5
    default: result.append(text[index])
    }
    return index + 1
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt32 {
    switch digit {
    case 48...57: return UInt32(digit) - 48
    case 65...70: return UInt32(digit) - 55
    case 97...102: return UInt32(digit) - 87
    default: return 0
    }
  }

  /// UTF-8; halves of surrogate pairs become question marks.
  private static func append(scalar value: UInt32, to result: inout Bytes) {
    let byte = { (shift: UInt32, mask: UInt32, mark: UInt32) in UInt8(truncatingIfNeeded: value >> shift & mask | mark) }
    switch value {
    case 0..<0x80: result.append(byte(0, 0x7f, 0))
    case 0x80..<0x800: result += [byte(6, 0x1f, 0xc0), byte(0, 0x3f, 0x80)]
    case 0xd800..<0xe000: result.append(63)
    default: result += [byte(12, 0x0f, 0xe0), byte(6, 0x3f, 0x80), byte(0, 0x3f, 0x80)]
    }
  }
}
