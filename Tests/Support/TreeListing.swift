import Core
import Linux
import OCI

/// Every file of a tree with all that matters of it, one line each, for comparing two trees.
package struct TreeListing: Equatable {
  package var lines: [String: String] = [:]

  package init(_ path: String) throws {
    var names: [UInt64: String] = [:]
    try add(try Directory.open(path), "", &names)
  }

  /// Hard links show as the group's first name in sorted order.
  private mutating func add(_ directory: borrowing Directory, _ path: String, _ names: inout [UInt64: String]) throws {
    for name in try directory.names() {
      let child = (path.isEmpty ? "" : path + "/") + Self.exact(name)
      guard let status = try directory.status(name) else {
        lines[child] = "listed, but not there"
        continue
      }
      var words = ["\(status.type)", "\(String(status.mode, radix: 8))", "\(status.owner):\(status.group)"]
      words.append("\(status.modified.seconds).\(status.modified.nanoseconds)")
      for (attribute, value) in try directory.attributes(name).sorted(by: { $0.key < $1.key }) { words.append("\(attribute)=\(value)") }
      switch status.type {
      case .regular:
        let file = try directory.readFile(name)
        words.append("\(status.size) \(Digest.sha256(of: try Files.read(file.raw, child, limit: 1 << 30)).hex.prefix(12))")
      case .symlink: words.append("-> \(Self.exact(try directory.readLink(name)))")
      case .characterDevice, .blockDevice: words.append("\(status.device.major):\(status.device.minor)")
      default: break
      }
      if status.type != .directory {
        if let first = names[status.inode] { words.append("= \(first)") } else { names[status.inode] = child }
      }
      lines[child] = words.joined(separator: " ")
      if status.type == .directory { try add(try directory.directory(name), child, &names) }
    }
  }

  /// Scalar by scalar: two Strings that differ in Unicode's normalization form only are equal to Swift, and two names of files are not.
  private static func exact(_ name: RawName) -> String {
    String(decoding: name.bytes, as: UTF8.self).unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
  }

  /// Drops the times of directories for which `isMeaningless` says so, here and in `other`.
  package mutating func dropDirectoryTimes(with other: inout TreeListing, _ isMeaningless: (Int64) -> Bool) {
    for (path, line) in lines where line.hasPrefix("directory") {
      let seconds = line.split(separator: " ")[3].prefix { $0 != "." }
      guard isMeaningless(Int64(seconds) ?? 0) else { continue }
      lines[path] = Self.withoutTime(line)
      other.lines[path] = other.lines[path].map(Self.withoutTime)
    }
  }

  private static func withoutTime(_ line: String) -> String {
    var words = line.split(separator: " ").map(String.init)
    if words.count > 3 { words[3] = "any" }
    return words.joined(separator: " ")
  }

  /// What differs, readable; empty where nothing does.
  package func differences(from other: TreeListing) -> [String] {
    Set(lines.keys).union(other.lines.keys).sorted().compactMap { path in
      lines[path] == other.lines[path] ? nil : "\(path): \(lines[path] ?? "missing") instead of \(other.lines[path] ?? "nothing")"
    }
  }
}
