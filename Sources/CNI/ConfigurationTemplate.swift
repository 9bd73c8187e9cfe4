import Core

/// A network configuration with places for the node's pod CIDRs, in the form that containerd's `conf_template` has (Go's text/template, as far as
/// such files use it): `{{.PodCIDR}}`, `{{range $i, $range := .PodCIDRRanges}}…{{end}}`, `{{range .Routes}}{{.}}{{end}}`, `{{if $i}}…{{else}}…{{end}}`.
struct ConfigurationTemplate {
  private indirect enum Part {
    case text(String)
    /// `.PodCIDR`, `.`, `$name`.
    case value(String)
    case range(list: String, index: String?, element: String?, body: [Part])
    case condition(String, then: [Part], otherwise: [Part])
  }

  private var parts: [Part] = []

  init(_ text: String) throws(Fault) {
    var tokens = Self.tokens(text)[...]
    parts = try Self.parse(&tokens, until: [])
  }

  /// The values of one rendering: lists by name, and variables that a range has set.
  private struct Scope {
    var lists: [String: [String]]
    var variables: [String: String] = [:]

    func value(_ name: String) throws(Fault) -> String {
      if name == ".PodCIDR" { return lists[".PodCIDRRanges"]?.first ?? "" }
      if let value = variables[name] { return value }
      throw Fault(.invalidArgument, "{{\(name.prefix(60))}} is not known")
    }

    /// An index of 0 and an empty list are false, as in Go.
    func holds(_ name: String) throws(Fault) -> Bool {
      if let list = lists[name] { return !list.isEmpty }
      let value = try value(name)
      return !value.isEmpty && value != "0"
    }
  }

  func render(_ podCIDRs: [String]) throws(Fault) -> String {
    let routes = podCIDRs.map { $0.contains(":") ? "::/0" : "0.0.0.0/0" }
    return try Self.render(parts, Scope(lists: [".PodCIDRRanges": podCIDRs, ".Routes": routes]))
  }

  private static func render(_ parts: [Part], _ scope: Scope) throws(Fault) -> String {
    var output = ""
    for part in parts {
      switch part {
      case .text(let text): output += text
      case .value(let name): output += try scope.value(name)
      case .condition(let name, let then, let otherwise):
        output += try render(scope.holds(name) ? then : otherwise, scope)
      case .range(let list, let index, let element, let body):
        guard let values = scope.lists[list] else { throw Fault(.invalidArgument, "{{range \(list.prefix(60))}} is not known") }
        for (number, value) in values.enumerated() {
          var inner = scope
          inner.variables["."] = value
          if let index { inner.variables[index] = "\(number)" }
          if let element { inner.variables[element] = value }
          output += try render(body, inner)
        }
      }
    }
    return output
  }
}

extension ConfigurationTemplate {
  private enum Token {
    case text(String)
    case action([String])
  }

  /// `{{-` and `-}}` take white space away, as in Go.
  private static func tokens(_ text: String) -> [Token] {
    var tokens: [Token] = []
    var rest = text[...]
    var trims = false
    while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
      var before = rest[..<open.lowerBound]
      var action = rest[open.upperBound..<close.lowerBound]
      if trims { before = before.drop { $0.isWhitespace } }
      if action.hasPrefix("-") {
        action = action.dropFirst()
        while before.last?.isWhitespace == true { before.removeLast() }
      }
      trims = action.hasSuffix("-")
      if trims { action = action.dropLast() }
      tokens.append(.text(String(before)))
      let words = action.split { $0.isWhitespace || $0 == "," }.map(String.init)
      if words.first?.hasPrefix("/*") != true { tokens.append(.action(words)) }
      rest = rest[close.upperBound...]
    }
    tokens.append(.text(String(trims ? rest.drop { $0.isWhitespace } : rest)))
    return tokens
  }

  /// Up to one of the words `ends`, which is left for the caller to look at.
  private static func parse(_ tokens: inout ArraySlice<Token>, until ends: Set<String>) throws(Fault) -> [Part] {
    var parts: [Part] = []
    while let token = tokens.first {
      guard case .action(let words) = token else {
        if case .text(let text) = token { parts.append(.text(text)) }
        tokens.removeFirst()
        continue
      }
      if let word = words.first, ends.contains(word) { return parts }
      tokens.removeFirst()
      parts.append(try parse(words, &tokens))
    }
    guard ends.isEmpty else { throw Fault(.invalidArgument, "a {{range}} or {{if}} has no {{end}}") }
    return parts
  }

  private static func parse(_ words: [String], _ tokens: inout ArraySlice<Token>) throws(Fault) -> Part {
    switch (words.first, words.count) {
    case ("range", 2): return .range(list: words[1], index: nil, element: nil, body: try body(&tokens))
    case ("range", 5) where words[3] == ":=": return .range(list: words[4], index: words[1], element: words[2], body: try body(&tokens))
    case ("range", 4) where words[2] == ":=": return .range(list: words[3], index: nil, element: words[1], body: try body(&tokens))
    case ("if", 2):
      let then = try parse(&tokens, until: ["else", "end"])
      guard case .action(let word)? = tokens.popFirst(), word == ["else"] else { return .condition(words[1], then: then, otherwise: []) }
      return .condition(words[1], then: then, otherwise: try body(&tokens))
    case (let name?, 1) where name.hasPrefix(".") || name.hasPrefix("$"): return .value(name)
    default: throw Fault(.invalidArgument, "{{\(words.joined(separator: " ").prefix(60))}} is not known")
    }
  }

  private static func body(_ tokens: inout ArraySlice<Token>) throws(Fault) -> [Part] {
    let parts = try parse(&tokens, until: ["end"])
    tokens.removeFirst()
    return parts
  }
}
