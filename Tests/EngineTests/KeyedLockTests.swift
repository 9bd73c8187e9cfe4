import Synchronization
import Testing

@testable import Engine

@Suite struct KeyedLockTests {
  @Test func `work under one key never overlaps`() async {
    let lock = KeyedLock<String>()
    let state = Mutex((inside: 0, most: 0, done: 0))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask {
          await lock.with("layer") {
            state.withLock {
              $0.inside += 1
              $0.most = max($0.most, $0.inside)
            }
            await Task.yield()
            state.withLock {
              $0.inside -= 1
              $0.done += 1
            }
          }
        }
      }
    }
    #expect(state.withLock { $0.most } == 1)
    #expect(state.withLock { $0.done } == 50)
  }

  @Test func `slots let so many in and no more`() async {
    let slots = Slots(3)
    let state = Mutex((inside: 0, most: 0))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<30 {
        group.addTask {
          await slots.with {
            state.withLock {
              $0.inside += 1
              $0.most = max($0.most, $0.inside)
            }
            await Task.yield()
            state.withLock { $0.inside -= 1 }
          }
        }
      }
    }
    #expect(state.withLock { $0.most } <= 3)
    #expect(state.withLock { $0.inside } == 0)
  }
}
