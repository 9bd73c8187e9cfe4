/// One line of /proc/PID/mountinfo (proc(5)).
package struct MountInfo: Sendable, Hashable {
  package var id: Int32
  package var parent: Int32
  /// What of the filesystem is mounted, `/` for all of it.
  package var root: String
  package var mountPoint: String
  /// Of the mount: `rw`, `nosuid`, ….
  package var options: [String]
  /// `shared:2`, `master:1`, ….
  package var propagation: [String]
  package var type: String
  package var source: String
  /// Of the filesystem.
  package var superOptions: [String]

  /// Nil for a line that is none.
  package init?(line: Substring) {
    let fields = line.split(separator: " ")
    guard fields.count >= 10, let separator = fields.dropFirst(6).firstIndex(of: "-"), fields.count > separator + 2,
      let id = Int32(fields[0]), let parent = Int32(fields[1])
    else { return nil }
    self.id = id
    self.parent = parent
    root = Self.unescape(fields[3])
    mountPoint = Self.unescape(fields[4])
    options = fields[5].split(separator: ",").map(String.init)
    propagation = fields[6..<separator].map(String.init)
    type = String(fields[separator + 1])
    source = Self.unescape(fields[separator + 2])
    superOptions = fields.count > separator + 3 ? fields[separator + 3].split(separator: ",").map(String.init) : []
  }

  /// In the order they were mounted. `path` is another process's or a recorded file.
  package static func read(_ path: String = "/proc/self/mountinfo") throws(SystemError) -> [MountInfo] {
    String(decoding: try Files.read(path), as: UTF8.self).split(separator: "\n").compactMap { MountInfo(line: $0) }
  }

  /// Space, tab, newline and backslash are written as `\` and three octal digits.
  private static func unescape(_ field: Substring) -> String {
    guard field.utf8.contains(UInt8(ascii: "\\")) else { return String(field) }
    var result: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) {
        result.append(value)
        rest = rest.dropFirst(3)
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
