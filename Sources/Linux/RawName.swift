import CLinux

/// A file name or path as the kernel sees it: any bytes but NUL. Text is only a view of it, for messages.
package struct RawName: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }
  package init(_ bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }
  package init(_ text: String) { self.bytes = Array(text.utf8) }
  package init(cString: UnsafePointer<CChar>) {
    self.init(Array(UnsafeRawBufferPointer(start: cString, count: strlen(cString))))
  }

  package init(stringLiteral text: String) { self.init(text) }

  /// For messages: unprintable bytes escaped, and long names cut.
  package var description: String {
    let text = String(decoding: bytes.prefix(Self.shown), as: UTF8.self)
    let safe = text.unicodeScalars.reduce(into: "") { $0 += $1.value < 32 ? $1.escaped(asASCII: true) : String($1) }
    return bytes.count > Self.shown ? "\(safe)… (\(bytes.count) bytes)" : safe
  }

  private static let shown = 200

  /// Runs `body` with the name as a C string.
  package func withCString<T>(_ body: (UnsafePointer<CChar>) -> T) -> T {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
      bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
      buffer[bytes.count] = 0
      return body(UnsafePointer(buffer.baseAddress!))
    }
  }
}

/// Written out, since those of an array go through its elements one by one.
extension RawName {
  package static func == (a: RawName, b: RawName) -> Bool { a.bytes.count == b.bytes.count && compare(a, b) == 0 }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(bytes.count)
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }

  /// As memcmp(3), of what both have.
  fileprivate static func compare(_ a: RawName, _ b: RawName) -> Int32 {
    a.bytes.withUnsafeBytes { left in
      b.bytes.withUnsafeBytes { right in
        let count = min(left.count, right.count)
        return count == 0 ? 0 : memcmp(left.baseAddress!, right.baseAddress!, count)
      }
    }
  }
}

extension RawName: Comparable {
  package static func < (a: RawName, b: RawName) -> Bool {
    let order = compare(a, b)
    return order == 0 ? a.bytes.count < b.bytes.count : order < 0
  }
}
