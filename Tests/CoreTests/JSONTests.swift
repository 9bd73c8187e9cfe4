import Testing

@testable import Core

struct JSONTests {
  private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

  @Test(arguments: [
    #"{"b":1,"a":[1.50,-0,1e400,12345678901234567890],"c":{"d":null,"e":true,"f":false}}"#, #""\u0001 \" \\ ü 🚢""#, "[]", "{}", "null",
  ])
  func whatIsWrittenIsWhatWasRead(_ text: String) throws {
    #expect(String(decoding: try parse(text).bytes, as: UTF8.self) == text)
  }

  @Test func escapesBecomeCharacters() throws {
    #expect(try parse(#""\ud83d\udea2 \u00e9 \n\t\/\b""#) == .string("\u{1F6A2} é \n\t/\u{8}"))
    #expect(try parse(#""\ud83d x""#) == .string("\u{fffd} x"))
  }

  @Test(arguments: [
    "", "{", "[1,]", #"{"a":1,}"#, #"{"a"}"#, "{a:1}", "01", "1.", "+1", ".5", "nul", "'a'", #""a"#, "\"a\nb\"", #""\x""#, #""\u12g4""#,
    "1 2", "[1}",
    "// no\n{}", "\u{feff}{}",
  ])
  func whatIsNoJSONIsRefused(_ text: String) {
    #expect(throws: JSONError.self) { try parse(text) }
  }

  @Test func anErrorNamesTheLine() {
    let error = #expect(throws: JSONError.self) { try parse("{\n  \"a\": 1\n  \"b\": 2\n}") }
    #expect(error?.description == "not valid JSON: line 3: expected ',' or '}'")
  }

  @Test func deepNestingIsRefusedAndDoesNotOverflow() {
    #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
  }

  @Test func membersAreReplacedAndTheLastOfTwoCounts() throws {
    let value = try parse(#"{"a":1,"b":2,"a":3}"#)
    #expect(value["a"] == 3)
    #expect(value.setting("a", "x") == ["b": 2, "a": "x"])
    #expect(value.removing("a") == ["b": 2])
    #expect(value["c"] == nil && value["a"]?["b"] == nil)
  }
}
