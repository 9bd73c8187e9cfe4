import Core
import Linux

/// What of berthd the kernel counts.
extension Node {
  /// Processes whose parent is berthd.
  func children() throws -> Set<Int32> {
    let parent = try processID()
    return Set(try Files.list("/proc").compactMap(Int32.init).filter { ProcessTable.parent($0) == parent })
  }

  func threads() throws -> Int { try Files.list("/proc/\(try processID())/task").count }
}
