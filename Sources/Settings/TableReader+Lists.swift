import TOMLKit

/// Values of `hosts.toml` that may be written in more than one way.
extension TableReader {
  /// `"a"` or `["a", "b"]`.
  mutating func takeOneOrMany(_ key: String, check: (String) -> String? = { _ in nil }) throws(SettingsError) -> [String]? {
    guard let found = node(key) else { return nil }
    guard let values = String(found).map({ [$0] }) ?? [String](found) else {
      throw error(key, "must be a string or \([String].expected)")
    }
    if let complaint = values.compactMap(check).first { throw error(key, complaint) }
    return values
  }

  /// `"a"`, `["a", "b"]`, `[["a", "x"], ["b", ""]]`: each element one string or two, an empty second one being none.
  mutating func takePairs(_ key: String) throws(SettingsError) -> [(first: String, second: String?)] {
    guard let found = node(key) else { return [] }
    if let one = String(found) { return [(one, nil)] }
    var pairs: [(String, String?)] = []
    for element in found.array.map(Array.init) ?? [] {
      guard let parts = String(element).map({ [$0] }) ?? [String](element), (1...2).contains(parts.count), parts[0] != "" else {
        throw error(key, "must be a file, an array of files, or an array of [certificate, key] pairs")
      }
      pairs.append((parts[0], parts.dropFirst().first.flatMap { $0.isEmpty ? nil : $0 }))
    }
    guard found.array != nil else { throw error(key, "must be a file, an array of files, or an array of [certificate, key] pairs") }
    return pairs
  }
}
