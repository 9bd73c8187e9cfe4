import Linux

extension CNINetwork {
  /// Plugins that a berthd before this one called when it was killed go on: an ADD that ends after its DEL would keep an address for ever.
  /// Those that they called have their environment, and end, too.
  package func endOrphans(of sandboxID: String) async {
    let mark = Array("CNI_CONTAINERID=\(sandboxID)".utf8)
    // Another time, for what they called in between.
    for _ in 0..<10 {
      let orphans = Self.processes(with: mark)
      for orphan in orphans { orphan.kill() }
      for orphan in orphans { await orphan.ended() }
      if orphans.isEmpty { return }
    }
  }

  /// By an entry of their environment, read after the process was opened: its number may have been another's before.
  private static func processes(with entry: [UInt8]) -> [Pidfd] {
    let all = ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) }
    return all.compactMap { try? Pidfd.open($0) }.filter { process in
      guard let environment = try? Files.read("/proc/\(process.pid)/environ") else { return false }
      return environment.split(separator: 0).contains { $0.elementsEqual(entry) }
    }
  }
}
