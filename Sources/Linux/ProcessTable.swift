/// Facts of /proc/PID.
package enum ProcessTable {
  /// Every process this one can see.
  package static func all() -> [Int32] { ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) } }

  /// Clock ticks since boot at which the process began: with its number, an identity. Nil where there is no such process.
  package static func startTime(_ pid: Int32) -> UInt64? { statistics(pid).flatMap { $0.count > 19 ? UInt64($0[19]) : nil } }

  /// 0 for one whose parent is outside of this PID namespace; nil where there is no such process.
  package static func parent(_ pid: Int32) -> Int32? { statistics(pid).flatMap { $0.count > 1 ? Int32($0[1]) : nil } }

  /// The fields of /proc/PID/stat from the third (state) on: the second may hold anything, up to the last parenthesis.
  package static func statistics(_ pid: Int32) -> [Substring]? {
    guard let bytes = try? Files.read("/proc/\(pid)/stat"), let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    return String(decoding: bytes[(end + 1)...], as: UTF8.self).split { $0 == " " || $0 == "\n" }
  }
}
