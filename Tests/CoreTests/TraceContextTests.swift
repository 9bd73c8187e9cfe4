import Core
import Testing

/// Headers of W3C Trace Context.
@Suite struct TraceContextTests {
  private static let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  private func read(_ parent: String..., states: [String] = []) -> TraceContext? { TraceContext(parents: parent, states: states) }

  @Test func aParentIsReadAndWrittenAsItWas() throws {
    let context = try #require(read(Self.good))
    #expect("\(context.trace)" == "0af7651916cd43dd8448eb211c80319c")
    #expect("\(context.span)" == "b7ad6b7169203331")
    #expect(context.isSampled)
    #expect(context.parent == Self.good)
    #expect(context.headers.map(\.key) == ["traceparent"])
  }

  @Test(arguments: [("00", false), ("01", true), ("02", false), ("03", true), ("ff", true)])
  func onlyTheFlagsThatAreKnownArePassedOn(_ flags: String, _ isSampled: Bool) throws {
    let context = try #require(read(Self.good.dropLast(2) + flags))
    #expect(context.isSampled == isSampled)
    #expect(["0\((Int(flags, radix: 16) ?? 0) & 3)"] == [String(context.parent.suffix(2))])
  }

  @Test func whatALaterVersionAddsIsPassedOver() {
    #expect(read("cc" + Self.good.dropFirst(2) + "-what-the-future-will-be-like") != nil)
    #expect(read("cc" + Self.good.dropFirst(2) + ".what-the-future-will-not-be-like") == nil)
  }

  @Test(arguments: [
    "", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
    "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319ü-b7ad6b716920333-01",
  ])
  func aMalformedParentIsNone(_ text: String) { #expect(read(text) == nil) }

  @Test func twoParentsAreNone() { #expect(read(Self.good, Self.good) == nil) }

  private static let states: [([String], String)] = [
    (["a=1"], "a=1"), (["a=1", "b=2"], "a=1,b=2"), ([" a=1 ,\tb@c= x "], "a=1,b@c= x"), (["a=1,,b=2,"], "a=1,b=2"),
    (["a=1,a=2"], ""), (["a"], ""), (["A=1"], ""), (["a=1=2"], ""), (["a=ü"], ""), (["=1"], ""), (["a="], ""), (["_a=1"], ""),
    ([tooMany], ""), ([tooLong], ""),
  ]
  private static let tooMany = (0..<33).map { "k\($0)=1" }.joined(separator: ",")
  private static let tooLong = "a=" + String(repeating: "x", count: 257)

  @Test(arguments: states)
  func aStateIsPassedOnWhereItIsWhole(_ headers: [String], _ state: String) throws {
    #expect(try #require(read(Self.good, states: headers)).state == state)
  }

  @Test func randomTextNeverHarms() {
    let alphabet = Array("00123456789abcdef-=,;_*/@ gZ")
    for _ in 0..<20_000 {
      let text = String((0..<Int.random(in: 0..<70)).map { _ in alphabet.randomElement()! })
      if let context = TraceContext(parents: [text], states: [text]) { #expect(TraceContext(parents: [context.parent], states: []) != nil) }
    }
  }

  @Test func idsAreNeverZeroAndNeverTheSame() {
    #expect(Set((0..<1000).map { _ in TraceID.random() }).count == 1000)
    #expect(Set((0..<1000).map { _ in SpanID.random() }).count == 1000)
    #expect(TraceID(high: 0, low: 0) == nil && SpanID(0) == nil)
    #expect(TraceID(high: 1, low: 2)?.bytes == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2])
  }
}
