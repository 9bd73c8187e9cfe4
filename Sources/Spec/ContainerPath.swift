/// Absolute paths as text: nothing here looks at a file system.
package enum ContainerPath {
  /// Without empty and `.` parts, `..` resolved as if nothing were a symlink; always absolute.
  package static func clean(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// Whether `path` is `directory` or lies below it; both clean.
  package static func contains(_ directory: String, _ path: String) -> Bool {
    directory == "/" || path == directory || path.hasPrefix(directory + "/")
  }

  /// Number of parts of a clean path.
  package static func depth(_ path: String) -> Int { path == "/" ? 0 : path.utf8.count { $0 == UInt8(ascii: "/") } }
}
