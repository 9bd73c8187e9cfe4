import Synchronization
import Testing

@testable import Engine

@Suite struct KeyedLockTests {
  @Test func `work under one key never overlaps`() async {
    let lock = KeyedLock<String>()
    let state = Shared((inside: 0, most: 0, done: 0))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask {
          await lock.with("layer") {
            state.value.withLock {
              $0.inside += 1
              $0.most = max($0.most, $0.inside)
            }
            await Task.yield()
            state.value.withLock {
              $0.inside -= 1
              $0.done += 1
            }
          }
        }
      }
    }
    #expect(state.value.withLock { $0.most } == 1)
    #expect(state.value.withLock { $0.done } == 50)
  }
}
