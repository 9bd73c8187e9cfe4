import Core
import Synchronization
import Testing

@Suite struct SlotsTests {
  private struct Crowd {
    var inside = 0
    var most = 0
  }

  /// Runs `count` tasks that each stay for a moment; how many were inside at once.
  private func most(of count: Int, in slots: Slots, _ key: @escaping @Sendable (Int) -> String) async throws -> Int {
    let crowd = Counter()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<count {
        group.addTask {
          try await slots.with(key(number)) {
            crowd.state.withLock {
              $0.inside += 1
              $0.most = max($0.most, $0.inside)
            }
            for _ in 0..<10 { await Task.yield() }
            crowd.state.withLock { $0.inside -= 1 }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(crowd.state.withLock { $0.inside } == 0)
    return crowd.state.withLock { $0.most }
  }

  private final class Counter: Sendable {
    let state = Mutex(Crowd())
  }

  @Test func `so many are let in and no more`() async throws {
    #expect(try await most(of: 30, in: Slots(3)) { _ in "" } <= 3)
  }

  @Test func `each key has its own slots`() async throws {
    #expect(try await most(of: 30, in: Slots(1)) { "\($0 % 3)" } <= 3)
  }

  @Test func `who is cancelled while waiting leaves the queue`() async throws {
    let slots = Slots(1)
    let (held, hold) = AsyncStream<Void>.makeStream()
    let (entered, enter) = AsyncStream<Void>.makeStream()
    let first = Task {
      try await slots.with {
        enter.finish()
        for await _ in held {}
      }
    }
    for await _ in entered {}
    let second = Task { try await slots.with {} }
    let third = Task { try await slots.with { 3 } }
    second.cancel()
    await #expect(throws: CancellationError.self) { try await second.value }
    hold.finish()
    try await first.value
    #expect(try await third.value == 3)
  }
}
