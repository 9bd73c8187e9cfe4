import ArgumentParser

/// `KEY=VALUE` arguments.
enum Pair {
  /// Throws ``ValidationError`` for what has no `=`, naming the option.
  static func split(_ text: String, option: String) throws -> (key: String, value: String) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw ValidationError("\(option) \(text): must be KEY=VALUE")
    }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }

  static func dictionary(_ texts: [String], option: String) throws -> [String: String] {
    var pairs: [String: String] = [:]
    for text in texts {
      let (key, value) = try split(text, option: option)
      pairs[key] = value
    }
    return pairs
  }
}
