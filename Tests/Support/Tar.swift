/// Archives made byte by byte, well-formed or not (POSIX pax interchange format; ustar where it is enough).
package struct Tar {
  package var bytes: [UInt8] = []

  package init(_ entries: [Entry]) {
    for entry in entries { append(entry) }
    bytes += [UInt8](repeating: 0, count: 1024)
  }

  package struct Entry {
    package var path: String
    /// ustar's typeflag.
    package var type: Character
    package var content: [UInt8] = []
    package var link = ""
    package var mode: UInt32 = 0o644
    package var owner = 0
    package var group = 0
    /// Seconds, and nanoseconds where they are not 0.
    package var mtime = 1_700_000_000
    package var nanoseconds = 0
    package var device = (major: 0, minor: 0)
    package var attributes: [(String, [UInt8])] = []
    /// Further PAX records, `path` and the like as they are.
    package var pax: [(String, String)] = []
    /// What the size field says where that is not the content's length.
    package var size: Int?
    /// Bytes of the path, where they are no text.
    package var rawPath: [UInt8]?

    package func with(_ change: (inout Entry) -> Void) -> Entry {
      var copy = self
      change(&copy)
      return copy
    }

    package func owned(_ owner: Int, _ group: Int) -> Entry { with { ($0.owner, $0.group) = (owner, group) } }
    package func mode(_ mode: UInt32) -> Entry { with { $0.mode = mode } }
    package func modified(_ seconds: Int, _ nanoseconds: Int = 0) -> Entry {
      with { ($0.mtime, $0.nanoseconds) = (seconds, nanoseconds) }
    }
    package func attribute(_ name: String, _ value: [UInt8]) -> Entry { with { $0.attributes.append((name, value)) } }

    package static func directory(_ path: String) -> Entry { Entry(path: path, type: "5", mode: 0o755) }
    package static func file(_ path: String, _ content: String = "") -> Entry { Entry(path: path, type: "0", content: Array(content.utf8)) }
    package static func file(_ path: String, bytes: [UInt8]) -> Entry { Entry(path: path, type: "0", content: bytes) }
    package static func symlink(_ path: String, _ target: String) -> Entry { Entry(path: path, type: "2", link: target, mode: 0o777) }
    package static func link(_ path: String, _ target: String) -> Entry { Entry(path: path, type: "1", link: target) }
    package static func fifo(_ path: String) -> Entry { Entry(path: path, type: "6") }
    package static func device(_ path: String, _ type: Character, _ major: Int, _ minor: Int) -> Entry {
      Entry(path: path, type: type, device: (major, minor))
    }
    /// A file of holes (GNU tar's sparse format 1.0) but for `content` at `offset`.
    package static func sparse(_ path: String, size: Int, at offset: Int, _ content: String) -> Entry {
      let map = Array("1\n\(offset)\n\(content.utf8.count)\n".utf8)
      return Entry(path: path, type: "0", content: map + [UInt8](repeating: 0, count: 512 - map.count) + Array(content.utf8)).with {
        $0.pax = [
          ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "\(size)"), ("GNU.sparse.name", path),
        ]
      }
    }
    /// Hides `path` of the layers below.
    package static func whiteout(_ path: String) -> Entry {
      let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
      return Entry(path: "\(path[..<slash]).wh.\(path[slash...])", type: "0")
    }
    /// Hides everything below has in `path`.
    package static func opaque(_ path: String) -> Entry { Entry(path: (path.isEmpty ? "" : path + "/") + ".wh..wh..opq", type: "0") }
  }

  private mutating func append(_ entry: Entry) {
    var records = entry.pax.map { ($0.0, Array($0.1.utf8)) }
    let path = entry.rawPath ?? Array(entry.path.utf8)
    if path.count > 100 { records.append(("path", path)) }
    if entry.link.utf8.count > 100 { records.append(("linkpath", Array(entry.link.utf8))) }
    if entry.nanoseconds != 0 { records.append(("mtime", Array("\(entry.mtime).\(Self.nine(entry.nanoseconds))".utf8))) }
    if entry.owner > 0o7777777 { records.append(("uid", Array("\(entry.owner)".utf8))) }
    records += entry.attributes.map { ("SCHILY.xattr." + $0.0, $0.1) }
    if !records.isEmpty {
      let body = records.flatMap(Self.record)
      header(Entry(path: "PaxHeaders/x", type: "x"), Array("PaxHeaders/x".utf8), size: body.count)
      padded(body)
    }
    header(entry, path, size: entry.size ?? entry.content.count)
    padded(entry.content)
  }

  private static func nine(_ number: Int) -> String { String(repeating: "0", count: 9 - String(number).count) + String(number) }

  /// `LENGTH key=value\n`, its own length included.
  private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
    let rest = Array(" \(key)=".utf8) + value + [0x0a]
    var length = rest.count + 1
    while length != rest.count + String(length).count { length = rest.count + String(length).count }
    return Array(String(length).utf8) + rest
  }

  private mutating func header(_ entry: Entry, _ path: [UInt8], size: Int) {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: [UInt8], _ offset: Int, _ room: Int) {
      block.replaceSubrange(offset..<(offset + min(room, bytes.count)), with: bytes.prefix(room))
    }
    func octal(_ value: Int, _ offset: Int, _ room: Int) {
      let digits = String(value, radix: 8)
      put(Array((String(repeating: "0", count: max(0, room - 1 - digits.count)) + digits).utf8), offset, room - 1)
    }
    put(path, 0, 100)
    octal(Int(entry.mode), 100, 8)
    octal(entry.owner & 0o7777777, 108, 8)
    octal(entry.group & 0o7777777, 116, 8)
    if size >= 1 << 33 { base256(size, 124, &block) } else { octal(size, 124, 12) }
    octal(entry.mtime, 136, 12)
    block[156] = entry.type.asciiValue!
    put(Array(entry.link.utf8), 157, 100)
    put(Array("ustar\u{0}00".utf8), 257, 8)
    octal(entry.device.major, 329, 8)
    octal(entry.device.minor, 337, 8)
    put(Array("        ".utf8), 148, 8)
    octal(block.reduce(0) { $0 + Int($1) }, 148, 7)
    block[155] = 0x20
    bytes += block
  }

  private func base256(_ value: Int, _ offset: Int, _ block: inout [UInt8]) {
    for index in 0..<8 { block[offset + 11 - index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    block[offset] = 0x80
  }

  private mutating func padded(_ content: [UInt8]) {
    bytes += content
    bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }
}
