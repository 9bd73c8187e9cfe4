package import Core
import Linux

/// Keeps two daemons from working on one root: held as long as this value lives, and gone with the process however it ends.
package struct InstanceLock: ~Copyable, Sendable {
  private let lock: FileLock

  /// Takes `<root>/lock`. FAILED_PRECONDITION, with the other's process id, if it is taken.
  package static func take(root: String) throws(Fault) -> InstanceLock {
    let path = root + "/lock"
    do {
      try Files.makeDirectories(root)
      guard let lock = try FileLock.tryLock(path) else {
        throw Fault(.failedPrecondition, "root \(root): in use by process \(holder(path))")
      }
      // The lock is what counts; a full or read-only disk has no room for the number.
      try? lock.write("\(FileLock.processID)\n", path)
      return InstanceLock(lock: lock)
    } catch {
      throw Fault(error)
    }
  }

  private static func holder(_ path: String) -> String {
    guard let bytes = try? Files.read(path, limit: 64) else { return "unknown" }
    let text = String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber }
    return text.isEmpty ? "unknown" : String(text)
  }
}
