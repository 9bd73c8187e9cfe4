package import Core
import Linux

/// Writable overlay directories, `snapshots/<key>/{fs,work}` below the daemon's root, and `volumes` beside them where the image has
/// VOLUMEs. Nothing here waits for a disk: what they hold does not outlive a reboot, and overlay itself is told so (`volatile`).
package struct OverlaySnapshots: Snapshotter {
  private let root: String
  private let options: [String]

  /// - Parameter root: the daemon's root directory, which also holds the layers.
  package init(root: String) throws {
    self.root = root
    options = OverlayOptions.supported()
    try Files.makeDirectories(directory)
    try Files.makeDirectories(trash)
    emptyTrash()
  }

  private var directory: String { "\(root)/snapshots" }
  /// Being removed: gone for everyone else, on the same filesystem.
  private var trash: String { "\(directory)/.removed" }

  private func path(_ key: String) -> String { "\(directory)/\(key)" }

  package func prepare(_ key: String, above layers: [LayerID]) async throws -> RootfsMount {
    try stage("snapshot \(key)") {
      try SnapshotKey.check(key)
      let owner = try rootStatus(layers)
      try make(key, owner)
      return try mount(key, above: layers)
    }
  }

  /// Upper and work directory; nothing is left where one of them could not be made.
  private func make(_ key: String, _ owner: RootStatus) throws {
    let base = try Directory.open(directory)
    let name = RawName(key)
    do { try base.makeDirectory(name) } catch {
      if error.number == error.exists { throw Fault(.alreadyExists, "it is there already") }
      throw error
    }
    do {
      let snapshot = try base.directory(name)
      try snapshot.makeDirectory("work")
      try snapshot.makeDirectory("fs")
      try snapshot.setOwner("fs", owner.owner, owner.group)
      try snapshot.setMode("fs", owner.mode)
    } catch {
      try? base.removeTree(name)
      throw error
    }
  }

  /// Mode and owner of a container's `/`.
  private struct RootStatus {
    var mode: UInt16 = 0o755
    var owner: UInt32 = 0
    var group: UInt32 = 0
  }

  /// Of the highest layer whose archive describes `/`.
  private func rootStatus(_ layers: [LayerID]) throws -> RootStatus {
    guard let layer = layers.last(where: { Files.exists(LayerLayout.rootMarker(root, $0)) }) else { return RootStatus() }
    let status = try Directory.open(LayerLayout.files(root, layer)).status()
    return RootStatus(mode: status.mode, owner: status.owner, group: status.group)
  }

  package func mount(_ key: String, above layers: [LayerID]) throws -> RootfsMount {
    try SnapshotKey.check(key)
    guard Files.exists("\(path(key))/fs") else { throw Fault(.notFound, "snapshot \(key): there is no such snapshot") }
    return RootfsMount(
      lower: layers.reversed().map { LayerLayout.files(root, $0) }, upper: "\(path(key))/fs", work: "\(path(key))/work",
      options: options)
  }

  package func usage(_ key: String) async throws -> DiskUsage {
    try SnapshotKey.check(key)
    let path = path(key)
    return try await stage("snapshot \(key)") {
      let directories = ["\(path)/fs"] + ["\(path)/volumes"].filter { Files.exists($0) }
      return try await BlockingWork.run {
        try directories.map { try TreeUsage.walk($0) }.reduce(DiskUsage()) { $0 + DiskUsage(bytes: $1.bytes, inodes: $1.inodes) }
      }
    }
  }

  /// The name is free at once; the files go away on a thread of their own before this returns.
  package func remove(_ key: String) async throws {
    try SnapshotKey.check(key)
    let (base, aside, name) = (directory, trash, "\(key).\(Identifier.random())")
    try await stage("snapshot \(key)") {
      try await BlockingWork.run {
        let trash = try Directory.open(aside)
        do { try Directory.open(base).rename(RawName(key), into: trash, as: RawName(name)) } catch let error as SystemError {
          if error.isMissing { return }
          throw error
        }
        try trash.removeTree(RawName(name))
      }
    }
  }

  /// What a daemon left that was killed while it removed. Nobody waits for it, and the next start tries again.
  private func emptyTrash() {
    let trash = trash
    guard let names = try? Files.list(trash), !names.isEmpty else { return }
    Task.detached {
      try? await BlockingWork.runInBackground {
        let directory = try Directory.open(trash)
        for name in names { try? directory.removeTree(RawName(name)) }
      }
    }
  }

  package func list() throws -> [String] { try Files.list(directory).filter { !$0.hasPrefix(".") } }
}
