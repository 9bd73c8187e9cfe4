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
      for orphan in orphans { _ = await orphan.ended(within: .seconds(5)) }
      if orphans.isEmpty { return }
    }
  }

  /// By an entry of their environment, read after the process was opened: its number may have been another's before. Of one that waits for a disk (D) it is
  /// not asked: the answer may take as long, and no signal would end it.
  private static func processes(with entry: [UInt8]) -> [Pidfd] {
    ProcessTable.all().compactMap { try? Pidfd.open($0) }.filter { process in
      guard ProcessTable.statistics(process.pid)?.first != "D", let environment = try? Files.read("/proc/\(process.pid)/environ") else {
        return false
      }
      return environment.split(separator: 0).contains { $0.elementsEqual(entry) }
    }
  }
}
