import Linux
import Testing

@Suite struct CourtesyTests {
  /// Work that takes some processor time.
  private func work() {
    let start = SystemClock.threadNanoseconds()
    while SystemClock.threadNanoseconds() - start < 100_000 {}
  }

  private func pauses(processors: Int) -> Bool {
    var pace = Courtesy.Pace(processors: processors)
    work()
    return pace.step() > 0
  }

  @Test func `long work makes way while something short runs`() async {
    #expect(await Courtesy.during { pauses(processors: 2) })
  }

  @Test func `where processors are left nobody has to make way`() async {
    #expect(await !Courtesy.during { pauses(processors: 64) })
  }
}
