import Core
import Linux

/// Empty ext4 filesystems in sparse files, `snapshots/.blank/<bytes>`, of which containers get copies: making one takes a program that waits for the
/// disk, copying one does neither.
struct BlankFilesystems: Sendable {
  /// Of sizes that only containers have asked for no more are kept than this.
  private static let most = 32
  private static let limit = Duration.seconds(60)
  private static let programs = ["/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4", "/usr/local/sbin/mkfs.ext4", "/usr/bin/mkfs.ext4"]

  private let directory: String

  /// What an earlier daemon made may be otherwise than this one would have it.
  init(_ directory: String) throws {
    self.directory = directory
    try Files.removeTree(directory)
  }

  var usage: DiskUsage { DiskUsage(tree: directory) }

  static var program: String? { programs.first { Files.isExecutable($0) } }

  private func path(_ size: Int64) -> String { "\(directory)/\(size)" }

  /// Has one of this size ready.
  func make(for limit: Int64) async throws {
    let size = Self.size(for: limit)
    if Files.exists(path(size)) { return }
    try Files.makeDirectories(directory)
    let made = "\(directory)/.\(Identifier.random())"
    try await make(made, size)
    try Files.move(made, to: path(size))
  }

  /// A new file at `target`, with room for `limit` bytes.
  func copy(for limit: Int64, to target: String) async throws {
    let blank = path(Self.size(for: limit))
    if !Files.exists(blank) {
      if (try? Files.list(directory).count) ?? 0 >= Self.most { return try await make(target, Self.size(for: limit)) }
      try await make(for: limit)
    }
    try await BlockingWork.run {
      let source = try FileHandle.open(blank)
      try FileHandle.create(target).copy(source, size: try source.status().size)
    }
  }

  /// Of the file: an inode of 256 bytes for every 16 KiB, bitmaps and group descriptors come to what the containers may have.
  static func size(for limit: Int64) -> Int64 { (limit + limit / 63 + limit / 4096 + (128 << 10)) & ~4095 }

  /// Without a journal: what is in it does not outlive a reboot.
  private func make(_ path: String, _ size: Int64) async throws {
    guard let program = Self.program else { throw Fault(.failedPrecondition, "there is no mkfs.ext4 on this node (e2fsprogs)") }
    try FileHandle.create(path).truncate(to: size)
    let output = try await Command.run(
      program,
      [
        "-qF", "-b", "4096", "-I", "256", "-i", "16384", "-m", "0", "-U", "null", "-O", "^has_journal,^resize_inode", "-E",
        "nodiscard,lazy_itable_init=1", path,
      ], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"], timeout: Self.limit)
    guard output.succeeded else {
      try? Files.remove(path)
      throw Fault(.internal, "mkfs.ext4: \(output.ending): \(output.errorText)")
    }
  }
}
