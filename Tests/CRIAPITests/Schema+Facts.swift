/// A line of the facts file that is none of the forms it may have.
struct UnknownFact: Error, CustomStringConvertible {
  let line: Substring
  var description: String { "not a fact: '\(line)'" }
}

extension Schema {
  /// Reads the facts file: `service S`, `rpc M(A) -> [stream] B`, `message M`, `N field: type [deprecated]`, `enum E: A=0, B=1`.
  init(facts: String) throws {
    self.init()
    var owner = ""
    for line in facts.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ")
      switch words[0] {
      case "service", "message":
        owner = String(words[1])
        self["\(words[0]) \(owner)"] = ""
      case "rpc": try addMethod(line, of: owner)
      case "enum": addEnum(line.dropFirst("enum ".count))
      default: try addField(words, line, of: owner)
      }
    }
  }

  private mutating func addMethod(_ line: Substring, of owner: String) throws {
    let signature = line.drop { $0 == " " }.dropFirst("rpc ".count)
    guard let open = signature.firstIndex(of: "(") else { throw UnknownFact(line: line) }
    self["\(owner).\(signature[..<open])"] = String(signature[open...])
  }

  private mutating func addField(_ words: [Substring], _ line: Substring, of owner: String) throws {
    guard words.count == 3 || words.count == 4 || words[2] == "repeated", UInt32(words[0]) != nil, words[1].hasSuffix(":") else {
      throw UnknownFact(line: line)
    }
    self["\(owner)/\(words[0])"] = words.dropFirst().joined(separator: " ")
  }

  private mutating func addEnum(_ declaration: Substring) {
    let parts = declaration.split(separator: ":", maxSplits: 1)
    self["enum \(parts[0])"] = ""
    for value in parts[1].split(separator: ",") {
      let pair = value.drop { $0 == " " }.split(separator: "=")
      self["\(parts[0])/\(pair[0])"] = String(pair[1])
    }
  }
}
