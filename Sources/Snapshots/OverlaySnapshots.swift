package import Core
import Linux

/// Writable overlay directories, `snapshots/<key>/{fs,work}` below the daemon's root, and `volumes` beside them where the image has
/// VOLUMEs; a limit holds for all of it. Nothing here waits for a disk: what they hold does not outlive a reboot, and overlay itself is told so (`volatile`).
package struct OverlaySnapshots: Snapshotter {
  private let root: String
  private let directory: String
  private let options: [String]
  private let limits: WritableLimits

  /// - Parameters:
  ///   - root: the daemon's root directory, which also holds the layers.
  ///   - method: how writable layers are kept to a size.
  package init(root: String, limits method: LimitMethod = .auto) throws {
    self.root = root
    directory = "\(root)/snapshots"
    options = OverlayOptions.supported()
    try Files.makeDirectories(directory)
    limits = try WritableLimits(method, snapshots: directory)
    try Files.makeDirectories(trash)
    emptyTrash()
  }

  /// Why no writable layer can be kept to a size here.
  package var limitProblem: String? { limits.problem }

  /// Makes in advance what the first container with this limit would wait for.
  package func makeReady(for limit: Int64) async throws { try await limits.makeReady(for: limit) }

  /// Being removed: gone for everyone else, on the same filesystem.
  private var trash: String { "\(directory)/.removed" }

  private func path(_ key: String) -> String { "\(directory)/\(key)" }

  package func prepare(_ key: String, above layers: [LayerID], limit: Int64?) async throws -> RootfsMount {
    try await stage("snapshot \(key)") {
      try SnapshotKey.check(key)
      let owner = try rootStatus(layers)
      try makeBase(key)
      do {
        if let limit { try await limits.limit(key, to: limit) }
        try fill(key, owner)
      } catch {
        try? await remove(key)
        throw error
      }
      return try mount(key, above: layers)
    }
  }

  private func makeBase(_ key: String) throws {
    do { try Directory.open(directory).makeDirectory(RawName(key)) } catch {
      if error.number == error.exists { throw Fault(.alreadyExists, "it is there already") }
      throw error
    }
  }

  /// Upper and work directory.
  private func fill(_ key: String, _ owner: RootStatus) throws {
    let snapshot = try Directory.open(path(key))
    try snapshot.makeDirectory("work")
    try snapshot.makeDirectory("fs")
    try snapshot.setOwner("fs", owner.owner, owner.group)
    try snapshot.setMode("fs", owner.mode)
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
    return try await stage("snapshot \(key)") {
      try await BlockingWork.run {
        if let all = try limits.usage(key) { return all - own(key) }
        let directories = ["\(path(key))/fs"] + ["\(path(key))/volumes"].filter { Files.exists($0) }
        return try directories.map { DiskUsage(try TreeUsage.walk($0)) }.reduce(DiskUsage(), +)
      }
    }
  }

  /// The snapshot's own directories.
  private func own(_ key: String) -> DiskUsage {
    DiskUsage(TreeUsage.own(path(key))) + DiskUsage(tree: "\(path(key))/work")
  }

  /// Of one snapshot.
  package func overhead(_ key: String) -> DiskUsage { own(key) + limits.blocks.overhead(key) }

  package func overhead() -> DiskUsage {
    let keys = (try? list()) ?? []
    let itself = DiskUsage(TreeUsage.own(directory)) + DiskUsage(tree: trash)
    return keys.reduce(itself + limits.blocks.overhead()) { $0 + overhead($1) }
  }

  /// The name is free at once; the files go away on a thread of their own before this returns.
  package func remove(_ key: String) async throws {
    try SnapshotKey.check(key)
    let (base, aside, name, blocks) = (directory, trash, "\(key).\(Identifier.random())", limits.blocks)
    try await stage("snapshot \(key)") {
      try await BlockingWork.run {
        try blocks.unmount(key)
        let trash = try Directory.open(aside)
        do { try Directory.open(base).rename(RawName(key), into: trash, as: RawName(name)) } catch let error as SystemError {
          if error.isMissing { return }
          throw error
        }
        try Self.remove(RawName(name), from: trash)
      }
    }
  }

  private static func remove(_ name: RawName, from trash: borrowing Directory) throws {
    try Projects.release(try trash.directory(name))
    try trash.removeTree(name)
  }

  /// What a daemon left that was killed while it removed. Nobody waits for it, and the next start tries again.
  private func emptyTrash() {
    let trash = trash
    guard let names = try? Files.list(trash), !names.isEmpty else { return }
    Task.detached {
      try? await BlockingWork.runInBackground {
        let directory = try Directory.open(trash)
        for name in names { try? Self.remove(RawName(name), from: directory) }
      }
    }
  }

  package func list() throws -> [String] {
    Set(try Files.list(directory).filter { !$0.hasPrefix(".") }).union(try limits.blocks.list()).sorted()
  }
}
