import Core
import Linux

/// Writable layers that are filesystems of their own: `snapshots/.blocks/<key>`, a sparse file with ext4, mounted on `snapshots/<key>`. They take no
/// more of the disk than what is written to them, and give back what is deleted.
///
/// The loop device belongs to its mount alone and goes with it: a daemon that is killed in between leaves at most the file, by which the snapshot is found.
struct SparseBlocks: Sendable {
  private let snapshots: String
  private let images: String
  private let blanks: BlankFilesystems

  /// Nothing that waits for a disk: no barriers, no tables that are written in the background.
  private static let options = "nobarrier,noinit_itable,discard"
  /// Of ext4's own, below the first that files have.
  private static let reservedInodes: Int64 = 9

  init(snapshots: String) throws {
    self.snapshots = snapshots
    images = snapshots + "/.blocks"
    blanks = try BlankFilesystems(snapshots + "/.blank")
  }

  /// Why there can be none on this node.
  static var problem: String? {
    if BlankFilesystems.program == nil { return "there is no mkfs.ext4 (e2fsprogs)" }
    return Files.exists("/dev/loop-control") ? nil : "there is no /dev/loop-control (the kernel's module loop)"
  }

  func list() throws -> [String] { Files.exists(images) ? try Files.list(images) : [] }

  private func image(_ key: String) -> String { "\(images)/\(key)" }
  private func path(_ key: String) -> String { "\(snapshots)/\(key)" }

  func makeReady(for limit: Int64) async throws { try await blanks.make(for: limit) }

  /// On the empty directory that is there already.
  func mount(_ key: String, limit: Int64) async throws {
    let (image, path) = (image(key), path(key))
    try Files.makeDirectories(images)
    try await blanks.copy(for: limit, to: image)
    try await BlockingWork.run {
      let loop = try LoopDevice.attach(image)
      let label = try Directory.open(path).handle.attribute("security.selinux")
      try Mounts.mount(loop.path, on: path, type: "ext4", data: Self.options)
      try Files.removeDirectory(path + "/lost+found")
      let root = try Directory.open(path)
      try root.handle.setMode(0o700)
      if let label { try root.handle.setAttribute("security.selinux", label) }
    }
  }

  func isOne(_ key: String) -> Bool { Files.exists(image(key)) }

  /// Blocks. Where something else still has it mounted its room on the disk is free anyway.
  func unmount(_ key: String) throws {
    guard isOne(key) else { return }
    try Mounts.unmountIfMounted(path(key))
    _ = try FileHandle.forWriting(image(key))
    try Files.remove(image(key))
  }

  /// All that is in it; nil where it is not mounted.
  func usage(_ key: String) throws -> DiskUsage? {
    guard !FilesystemCapacity.same(path(key), snapshots) else { return nil }
    let capacity = try FilesystemCapacity.read(path(key))
    return DiskUsage(
      bytes: Int64(clamping: capacity.bytes - capacity.freeBytes),
      inodes: Int64(clamping: capacity.inodes - capacity.freeInodes) - Self.reservedInodes)
  }

  /// What is of no one container.
  func overhead() -> DiskUsage { DiskUsage(TreeUsage.own(images)) + blanks.usage }

  /// What the file takes of the disk beyond what is in it; nothing where there is none.
  func overhead(_ key: String) -> DiskUsage {
    guard let allocated = try? FileHandle.open(image(key)).status().allocated else { return DiskUsage() }
    return DiskUsage(bytes: allocated, inodes: 1) - DiskUsage(bytes: (try? usage(key))?.bytes ?? 0)
  }
}
