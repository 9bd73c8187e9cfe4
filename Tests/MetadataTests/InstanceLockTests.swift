import Core
import Linux
import Metadata
import Support
import Testing

struct InstanceLockTests {
  @Test func theSecondIsRefusedWithTheProcessIDOfTheFirst() throws {
    try withScratch { directory in
      let root = directory + "/new/root"
      do {
        let first = try InstanceLock.take(root: root)
        let error = #expect(throws: Fault.self) { _ = try InstanceLock.take(root: root) }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message == "root \(root): in use by process \(FileLock.processID)")
        _ = consume first
      }
      _ = try InstanceLock.take(root: root)
    }
  }
}
