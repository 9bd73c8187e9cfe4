/// What values must look like beyond their type; each check answers what is wrong, or `nil`.
enum Check {
  static func absolute(_ path: String) -> String? { path.hasPrefix("/") ? nil : "must be an absolute path, found \"\(path)\"" }

  /// The kernel's limit for a socket's path, its terminating NUL included, is 108 bytes.
  static func socket(_ path: String) -> String? {
    absolute(path) ?? (path.utf8.count < 108 ? nil : "is \(path.utf8.count) bytes, a socket's path has at most 107")
  }

  /// Paths joined by colons.
  static func absolutes(_ paths: String) -> String? { absoluteList(parts(paths)) }

  static func absoluteList(_ paths: [String]) -> String? { paths.compactMap(absolute).first }

  static func range(_ range: ClosedRange<Int>) -> (Int) -> String? {
    { range.contains($0) ? nil : "must be between \(range.lowerBound) and \(range.upperBound), found \($0)" }
  }

  static func duration(_ range: ClosedRange<Duration>) -> (Duration) -> String? {
    { range.contains($0) ? nil : "must be between \(range.lowerBound) and \(range.upperBound), found \($0)" }
  }

  /// `all` alone, or names of `known` groups of metrics.
  static func groups(_ known: [String]) -> ([String]) -> String? {
    { names in
      if names.contains("all") { return names == ["all"] ? nil : "must be \"all\" alone, or names of groups" }
      return names.first { !known.contains($0) }.map {
        "names \"\($0)\", which is no group of metrics (\(known.joined(separator: ", ")), or all)"
      }
    }
  }

  static func recheck(_ text: String) -> String? {
    ["never", "changed", "always"].contains(text) || Duration(goSyntax: text) != nil
      ? nil : "must be never, changed, always or a duration like \"1h\", found \"\(text)\""
  }

  static func parts(_ paths: String) -> [String] { paths.split(separator: ":").map(String.init) }
}
