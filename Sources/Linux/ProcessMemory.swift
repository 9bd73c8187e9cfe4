import CLinux

/// This process's own pages.
package enum ProcessMemory {
  /// Lets go of the pages of programs and libraries that are mapped without being written to. They stay in the page cache; what is still
  /// needed is mapped again at its next use for the cost of a fault. What only a start or a pull needed no longer counts as this process's
  /// memory.
  package static func dropProgramPages() {
    guard let bytes = try? Files.read("/proc/self/maps") else { return }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      guard let range = programRange(line) else { continue }
      madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
    }
  }

  /// Of a line of maps(5) that stands for code or constants of a file: private, never writable.
  private static func programRange(_ line: Substring) -> Range<UInt>? {
    let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
    guard fields.count == 6, fields[1] == "r-xp", fields[5].drop(while: { $0 == " " }).first == "/" else { return nil }
    let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
    return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
  }
}
