import ArgumentParser

/// `LOCAL:REMOTE`, `PORT` for the same on both sides, `:REMOTE` for any local one.
struct PortPair: ExpressibleByArgument, Equatable, Sendable {
  /// 0 for any.
  let local: UInt16
  let remote: UInt16

  init?(argument: String) {
    let fields = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(fields.count), let remote = fields.last.flatMap({ UInt16($0) }), remote > 0 else { return nil }
    guard let local = fields[0].isEmpty ? 0 : UInt16(fields[0]) else { return nil }
    (self.local, self.remote) = (local, remote)
  }
}
