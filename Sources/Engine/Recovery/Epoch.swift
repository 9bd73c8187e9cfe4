import Core
import Linux

/// Tells whether processes that records speak of can still be alive: boot, PID namespace and the state directory are the same as before.
package enum Epoch {
  /// Continues the epoch that `<state>/epoch` names, or begins a new one there. True where it is a new one: every process of the records is dead.
  package static func begin(state: String) throws -> Bool {
    let path = state + "/epoch"
    let here = try identity()
    if let bytes = try? Files.read(path, limit: 4096), String(decoding: bytes, as: UTF8.self).hasPrefix(here) { return false }
    try Files.replace(path, with: Array("\(here) \(Identifier.random())\n".utf8), durable: false)
    return true
  }

  /// Boot ID (proc(5), random/boot_id) and the PID namespace's inode.
  private static func identity() throws -> String {
    let boot = String(decoding: try Files.read("/proc/sys/kernel/random/boot_id"), as: UTF8.self)
    return "\(boot.filter { !$0.isWhitespace }) \(try Files.readLink("/proc/self/ns/pid"))"
  }
}
