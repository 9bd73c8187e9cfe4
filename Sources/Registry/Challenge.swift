/// One challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1).
struct Challenge: Hashable, Sendable {
  /// Lower case: `basic`, `bearer`.
  let scheme: String
  /// Names are in lower case.
  let parameters: [String: String]

  /// All challenges of one header's value; what is malformed ends the list.
  static func parse(_ header: String) -> [Challenge] {
    var parser = ChallengeParser(header)
    return parser.challenges()
  }
}

private struct ChallengeParser {
  private var rest: Substring

  init(_ text: String) { rest = text.prefix(8192) }

  mutating func challenges() -> [Challenge] {
    var found: [Challenge] = []
    skipSeparators()
    while let scheme = token() {
      skipBlanks()
      found.append(Challenge(scheme: scheme.lowercased(), parameters: parameters()))
    }
    return found
  }

  /// `name=value` pairs, up to the end or the next scheme.
  private mutating func parameters() -> [String: String] {
    var parameters: [String: String] = [:]
    while true {
      skipSeparators()
      let before = rest
      guard let name = token() else { return parameters }
      skipBlanks()
      guard rest.first == "=" else {
        rest = before
        return parameters
      }
      rest = rest.dropFirst()
      skipBlanks()
      guard let value = rest.first == "\"" ? quoted() : token() else { return parameters }
      if parameters[name.lowercased()] == nil { parameters[name.lowercased()] = value }
    }
  }

  private mutating func skipBlanks() { rest = rest.drop { $0 == " " || $0 == "\t" } }
  private mutating func skipSeparators() { rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," } }

  private mutating func token() -> String? {
    let token = rest.prefix { !" \t,=\"".contains($0) }
    rest = rest.dropFirst(token.count)
    return token.isEmpty ? nil : String(token)
  }

  private mutating func quoted() -> String? {
    rest = rest.dropFirst()
    var value = ""
    while let character = rest.popFirst() {
      if character == "\"" { return value }
      guard let next = character == "\\" ? rest.popFirst() : character else { return nil }
      value.append(next)
    }
    return nil
  }
}
