import Testing

@testable import Spec

/// Regular expressions of hook files.
struct PatternTests {
  @Test(arguments: [
    ("abc", "xabcx", "ab"), ("^abc$", "abc", "abcd"), ("a|bc|d", "xbcx", "b"), ("a*b", "b", "c"), ("ca+b", "caab", "cb"),
    ("ca?b$", "cb", "caab"),
    ("^a{2,3}$", "aaa", "aaaa"), ("^a{2}$", "aa", "a"), ("^a{2,}$", "aaaaa", "a"), ("a{x", "a{x", "a"), ("^(ab|c){2}$", "abc", "ab"),
    ("[a-c]x", "bx", "dx"), ("[^a-c]x", "dx", "bx"), ("^[]a]$", "]", "b"), ("^[a\\]b]$", "]", "\\"), ("^[a-]$", "-", "b"),
    ("[[:digit:]]", "a1", "ab"),
    ("^[[:^alpha:]]$", "1", "a"), ("^\\d+\\.\\d+$", "1.25", "1x25"), ("^[\\w.]+$", "a_1.b", "a-b"), ("^\\S+$", "ab", "a b"),
    ("^[\\D]$", "a", "1"),
    (".", "a", "\n"), ("(?s)^.$", "\n", ""), ("(?i)^HeLLo[A-Z]$", "hellox", "hell"), ("^(?i:a)b$", "Ab", "AB"), ("(?m)^b$", "a\nb", "ab"),
    ("\\bcat\\b", "a cat.", "concat"), ("\\Boo", "foo", "oo"), ("\\Aa\\z", "a", "ba"), ("^\\x41\\x{1F600}$", "A\u{1F600}", "A"),
    ("^\\Qa.b\\E+$", "a.bb", "axb"), ("(?P<name>a)(?:b)", "ab", "ba"), ("^a+?$", "aaa", "b"), ("^()*$", "", "a"),
    ("^\\Q(|*\\Ex$", "(|*x", "x"), ("a\\Q+", "a+", "aa"), ("ä", "xäx", "a"),
    ("^$", "", "a"),
  ])
  func `a pattern matches what Go's would, anywhere`(_ pattern: String, _ good: String, _ bad: String) throws {
    let pattern = try Pattern(pattern)
    #expect(pattern.matches(good) && !pattern.matches(bad))
  }

  @Test(arguments: [
    ("(", "not closed"), (")", "closes nothing"), ("[", "not closed"), ("a[b-", "not closed"), ("*", "nothing to repeat"),
    ("a**", "follows another"),
    ("a{3,2}", "out of range"), ("a{1001}", "out of range"), ("(a{1000}){1000}", "too long"),
    ("((((){1000}){1000}){1000}){1000}", "too long"), ("\\", "backslash"), ("(a)\\1", "\\1"),
    ("\\p{Greek}", "\\p"), ("[z-a]", "backwards"), ("[[:none:]]", "class"), ("(?<n", "name"), ("(?=a)", "(?="), ("\\x{110000}", "\\x"),
    ("\\xg", "\\x"),
    (String(repeating: "(", count: 300), "too deep"), (String(repeating: "a|", count: 1 << 12), "too long"),
  ])
  func `what is no pattern, or too much of one, is refused with a reason`(_ pattern: String, _ reason: String) {
    let error = #expect(throws: PatternError.self) { try Pattern(pattern) }
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }

  /// Each takes an engine that goes back over its text longer than the universe is old.
  @Test(arguments: ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(a*)*b$", "(.*)(.*)(.*)(.*)(.*)x$", "^(([a-z])+.)+[A-Z]([a-z])+$"])
  func `no pattern takes longer than its text is long`(_ pattern: String) throws {
    #expect(try !Pattern(pattern).matches(String(repeating: "a", count: 1000) + "!"))
  }

  /// The standard library's engine agrees on what both take.
  @Test func `random patterns match as another engine has it`() throws {
    var random = SystemRandomNumberGenerator()
    func atom(_ depth: Int) -> String {
      switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
      case 0, 1: "a"
      case 2: "b"
      case 3: "."
      case 4: ["[ab]", "[^a]", "\\w", "^", "$"].randomElement(using: &random)!
      case 5: "(\(part(depth - 1))|\(part(depth - 1)))"
      default: "(\(part(depth - 1)))" + ["*", "+", "?", "{1,2}", ""].randomElement(using: &random)!
      }
    }
    func part(_ depth: Int) -> String { (0...Int.random(in: 0...2, using: &random)).map { _ in atom(depth) }.joined() }
    for _ in 0..<2000 {
      let text = part(2)
      guard let other = try? Regex(text), let pattern = try? Pattern(text) else { continue }
      for subject in ["", "a", "b", "ab", "ba", "aab", "abba", "c"] {
        #expect(pattern.matches(subject) == subject.contains(other), "\(text) \(subject)")
      }
    }
  }
}
