/// Headers of a tar that holds regular files only (POSIX ustar, with a PAX header where name or size do not fit). No times, no owners: the same files
/// give the same bytes.
enum TarHeader {
  static let block = 512
  /// Two blocks of zeros.
  static let end = [UInt8](repeating: 0, count: 2 * block)

  /// What stands before the file's bytes.
  static func file(_ name: String, size: Int64) -> [UInt8] {
    var records: [(String, String)] = []
    if name.utf8.count > nameSize { records.append(("path", name)) }
    if size > largest { records.append(("size", "\(size)")) }
    let plain = header(Array(name.utf8.suffix(nameSize)), size: min(size, largest), type: "0")
    if records.isEmpty { return plain }
    let body = Array(records.map { pax($0, $1) }.joined().utf8)
    return header(Array("PaxHeader".utf8), size: Int64(body.count), type: "x") + body + padding(Int64(body.count)) + plain
  }

  /// What stands behind them.
  static func padding(_ size: Int64) -> [UInt8] { [UInt8](repeating: 0, count: (block - Int(size % Int64(block))) % block) }

  private static let nameSize = 100
  /// Eleven octal digits.
  private static let largest: Int64 = 0o777_7777_7777

  /// `<length> <key>=<value>\n`, the length counting itself (POSIX pax, "Extended Header").
  private static func pax(_ key: String, _ value: String) -> String {
    let rest = " \(key)=\(value)\n"
    var length = rest.utf8.count + 1
    while "\(length)".utf8.count + rest.utf8.count != length { length += 1 }
    return "\(length)" + rest
  }

  private static func header(_ name: [UInt8], size: Int64, type: Character) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: block)
    func put(_ text: String, at offset: Int) { bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
    bytes.replaceSubrange(0..<name.count, with: name)
    put("0000644", at: 100)
    for offset in [108, 116] { put("0000000", at: offset) }
    put(octal(size, 11), at: 124)
    put(octal(0, 11), at: 136)
    put("        ", at: 148)
    put(String(type), at: 156)
    put("ustar\u{0}00", at: 257)
    put(octal(bytes.reduce(0) { $0 + Int64($1) }, 6) + "\u{0} ", at: 148)
    return bytes
  }

  private static func octal(_ value: Int64, _ digits: Int) -> String {
    let text = String(value, radix: 8)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}
