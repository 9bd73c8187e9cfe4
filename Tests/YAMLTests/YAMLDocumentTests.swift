import Testing

@testable import YAML

struct YAMLDocumentTests {
  private func parse(_ text: String) throws(YAMLError) -> YAMLNode { try YAMLDocument.parse(Array(text.utf8)) }

  private func entries(_ node: YAMLNode) -> [String: YAMLNode] {
    guard case .table(let entries) = node.content else { return [:] }
    return Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) })
  }

  @Test func `scalars are what the schema says, quotes make them text`() throws {
    let text = """
      # a comment
      mode: 0666
      new: 0o17
      hex: 0x1_F
      minus: -12
      quoted: "12"
      single: 'it''s'
      yes: true
      none: ~
      empty:
      block: |
        two
        lines
      tagged: !!str 12
      """
    let values = entries(try parse(text))
    #expect(values["mode"]?.integer == 438 && values["new"]?.integer == 15 && values["hex"]?.integer == 31)
    #expect(values["minus"]?.integer == -12 && values["minus"]?.text == "-12" && values["mode"]?.line == 2)
    #expect(values["quoted"]?.integer == nil && values["quoted"]?.text == "12" && values["single"]?.text == "it's")
    #expect(values["yes"]?.boolean == true && values["none"]?.isNull == true && values["empty"]?.isNull == true)
    #expect(values["block"]?.text == "two\nlines\n" && values["tagged"]?.text == "12" && values["none"]?.text == nil)
    for not in ["-", "+", "0x", "--1", "0x-1", "1.5", "99999999999999999999"] { #expect(try parse("- \(not)").integer == nil, "\(not)") }
  }

  @Test func `aliases and merge keys stand for what they name`() throws {
    let values = entries(try parse("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]\nd: {<<: [{y: 7}, *a]}"))
    #expect(entries(try #require(values["b"])).mapValues(\.integer) == ["x": 1, "y": 3])
    #expect(entries(try #require(values["d"])).mapValues(\.integer) == ["x": 1, "y": 7])
    guard case .list(let list)? = values["c"]?.content else { throw YAMLError(line: 0, reason: "no list") }
    #expect(list.count == 2 && list[0] == list[1])
  }

  @Test(arguments: [
    ("a: 1\na: 2", "line 2: key \"a\" is there twice"), ("a: [1", "line 2"), ("a: 1\n\tb: 2", "line 2"), ("a\n---\nb", "second document"),
    ("? [x]\n: 1", "no text"), ("a: &a [*a]", "levels"), ("a: *nothing", "line 1"), ("<<: 1", "must name a table"), ("a: \"\\0\"", "NUL"),
    ("%YAML 3.0\n---\na", "line 1"), ("\u{1}", "line"),
  ])
  func `what is wrong is named with its line`(_ text: String, _ words: String) {
    let error = #expect(throws: YAMLError.self) { try parse(text) }
    #expect(error.map { "\($0)".contains(words) } == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func `bombs, depth and any bytes end in a value or an error`() throws {
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<9 { bomb += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n" }
    let full = #expect(throws: YAMLError.self) { try parse(bomb) }
    #expect(full?.reason.contains("aliases") == true)
    let deep = #expect(throws: YAMLError.self) { try parse(String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)) }
    #expect(deep != nil)
    #expect(throws: YAMLError.self) { try YAMLDocument.parse(Array(repeating: 0x20, count: (8 << 20) + 1)) }
    #expect(try parse("").isNull)
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("{}[]:,-?&*!|>'\"%@`# \n\tab01\u{0}\u{e4}".utf8) + [0xFF, 0x80]
    for _ in 0..<3000 {
      let bytes = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      _ = try? YAMLDocument.parse(bytes)
    }
  }
}
