import CLinux

/// The small text files of /proc and cgroups, read and searched without a String: statistics read thousands of them a second.
package enum KernelText {
  /// The whole file; nil where there is none, or it cannot be read (a process or group that is just going away).
  package static func read(_ path: String) -> [UInt8]? {
    let descriptor = clinux_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { buffer in
      var bytes: [UInt8] = []
      while true {
        let count = CLinux.read(descriptor, buffer.baseAddress!, buffer.count)
        if count < 0 { return nil }
        // These files are given out whole records at a time: a short read is not yet the end, an empty one is.
        if count == 0 { return bytes }
        bytes += UnsafeRawBufferPointer(rebasing: buffer[..<count])
      }
    }
  }

  /// A file that holds one number. Nil where there is none, for `max`, and for no number.
  package static func number(_ path: String) -> UInt64? { read(path).flatMap { number($0[...]) } }

  /// The digits that `text` begins with, more than which is cut off; nil where it begins otherwise.
  package static func number(_ text: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    var digits = 0
    for byte in text {
      guard byte >= 0x30, byte <= 0x39 else { break }
      value = value &* 10 &+ UInt64(byte &- 0x30)
      digits += 1
    }
    return digits > 0 && digits < 21 ? value : nil
  }

  /// The values of `names` in a file of lines `name value`, in the order of `names`; nil for those it does not have.
  package static func values(_ names: [StaticString], in text: [UInt8]) -> [UInt64?] {
    var values = [UInt64?](repeating: nil, count: names.count)
    forEachLine(text) { line in
      guard let space = line.firstIndex(of: 0x20) else { return }
      let name = line[..<space]
      for index in names.indices where equal(name, names[index]) { values[index] = number(line[(space + 1)...]) }
    }
    return values
  }

  package static func forEachLine(_ text: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: 0x0A) ?? text.count
      body(text[start..<end])
      start = end + 1
    }
  }

  /// Fields between spaces and tabs.
  package static func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] { line.split { $0 == 0x20 || $0 == 0x09 } }

  static func equal(_ bytes: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
    bytes.count == text.utf8CodeUnitCount && bytes.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
