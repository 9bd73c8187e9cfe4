extension RuntimeSpec.Rlimit {
  private static let names: Set = [
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending",
    "stack", "as",
  ]

  /// `nofile=1024:4096` as docker and CRI-O write it, soft and hard limit; one figure is both, -1 is unlimited. `nil` for what is none.
  package init?(ulimit text: String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, Self.names.contains(parts[0].lowercased()) else { return nil }
    let figures = parts[1].split(separator: ":", omittingEmptySubsequences: false).map { $0 == "-1" ? UInt64.max : UInt64($0) }
    guard (1...2).contains(figures.count), let soft = figures[0], let hard = figures[figures.count - 1], soft <= hard else { return nil }
    self.init(type: "RLIMIT_" + parts[0].uppercased(), soft: soft, hard: hard)
  }
}
