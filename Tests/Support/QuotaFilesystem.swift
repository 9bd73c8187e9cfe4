import Linux
import Testing

/// Filesystems that keep project quotas.
package enum QuotaFilesystem: String, CaseIterable, Sendable {
  case ext4, xfs

  fileprivate var options: [String] { self == .ext4 ? ["-qF", "-O", "project,quota"] : ["-qf", "-s", "size=4096"] }
}

/// Runs `body` with a filesystem of its own mounted on `directory`, which keeps project quotas. False, and nothing is run, where the kernel cannot: in
/// `hack/vm` it can.
package func withProjectQuotas(
  _ kind: QuotaFilesystem = .ext4, at directory: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
) async throws -> Bool {
  try await withScratch("quota") { scratch in
    let image = scratch + "/image"
    try FileHandle.create(image).truncate(to: 1 << 30)
    let made = try await Command.run("/usr/sbin/mkfs.\(kind)", kind.options + [image], timeout: .seconds(60))
    #expect(made.succeeded, "\(made.errorText)")
    try Files.makeDirectories(directory)
    do {
      let loop = try LoopDevice.attach(image)
      try Mounts.mount(loop.path, on: directory, type: kind.rawValue, data: "prjquota")
    } catch {
      #expect(Environment.value("BERTH_VM") != "1", "\(error)")
      return false
    }
    defer { try? Mounts.unmountIfMounted(directory) }
    try await body()
    return true
  }
}

/// Loop devices with files below a directory behind them.
package func loopDevices(below directory: String) throws -> [String] {
  try Files.list("/sys/block").filter { name in
    let file = (try? Files.read("/sys/block/\(name)/loop/backing_file")).map { String(decoding: $0, as: UTF8.self) }
    return file?.hasPrefix(directory + "/") == true
  }
}
