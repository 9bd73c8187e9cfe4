import Core
import Linux

/// The IDs that a file of subuid(5) gives to a user: lines `USER:FIRST:COUNT`.
struct SubordinateIDs {
  let file: String
  let owner: String

  /// FAILED_PRECONDITION where it gives none.
  func read() throws(Fault) -> IDIntervals {
    let text: String
    do throws(SystemError) { text = String(decoding: try Files.read(file, limit: 1 << 20), as: UTF8.self) } catch {
      throw Fault(.failedPrecondition, "\(error)", cause: error)
    }
    let owned = IDIntervals(text.split(separator: "\n").compactMap(range))
    if owned.runs.isEmpty { throw Fault(.failedPrecondition, "\(file) has no IDs for \"\(owner)\" (a line \"\(owner):FIRST:COUNT\")") }
    return owned
  }

  /// The last ID is no ID (-1).
  private func range(_ line: Substring) -> Range<Int>? {
    let fields = line.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == 3, fields[0] == owner, let first = UInt32(fields[1]), let count = UInt32(fields[2]) else { return nil }
    return Int(first)..<min(Int(first) + Int(count), Int(UInt32.max))
  }
}
