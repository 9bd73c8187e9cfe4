import Linux
import Support
import Testing

@Suite struct WorkCountTests {
  @Test func `nothing under way is waited for by nobody`() async {
    let work = WorkCount()
    await work.over()
    work.begin()
    work.end()
    await work.over()
    #expect(work.count == 0)
  }

  @Test func `all who wait go on when the last is over, and not before`() async {
    let work = WorkCount()
    work.begin()
    work.begin()
    let waiters = (0..<3).map { _ in
      Task {
        await work.over()
        return work.count
      }
    }
    work.end()
    #expect(work.count == 1)
    work.end()
    for waiter in waiters { #expect(await waiter.value == 0) }
  }
}
