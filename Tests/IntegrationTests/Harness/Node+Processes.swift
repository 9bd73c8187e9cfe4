import Core
import Linux

/// What of berthd the kernel counts.
extension Node {
  /// Processes whose parent is berthd.
  func children() throws -> Set<Int32> {
    let parent = try processID()
    return Set(
      try Files.list("/proc").compactMap(Int32.init).filter { pid in
        // "7 (a name) S 1 …": the name may hold anything.
        guard let text = try? Files.read("/proc/\(pid)/stat") else { return false }
        let fields = String(decoding: text, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 1 && Int32(fields[1]) == parent
      })
  }

  func threads() throws -> Int { try Files.list("/proc/\(try processID())/task").count }
}
