import Core
import Linux

/// Writable layers that are projects of their filesystem's quotas: everything in `snapshots/<key>` together is kept to a limit.
///
/// Which project a snapshot has is written in its directory and nowhere else. Numbers are taken at random from a range that other programs leave alone,
/// and only where nobody has them, so that several daemons may share a filesystem.
struct Projects: Sendable {
  private static let range: ClosedRange<UInt32> = 0x4000_0000...0x7fff_ffff
  private static let attempts = 100

  /// Why there can be none in `directory`.
  static func problem(_ directory: String) -> String? {
    ProjectQuota.isEnforced(at: directory)
      ? nil
      : "the filesystem of \(directory) keeps no project quotas (ext4 with the features quota and project, or XFS; mounted with prjquota)"
  }

  /// The project of an empty directory that is there already. A daemon that is killed in between leaves the directory, by which it is found.
  static func limit(_ path: String, to bytes: Int64) throws {
    let directory = try Directory.open(path)
    for _ in 0..<attempts {
      let project = UInt32.random(in: range)
      if try ProjectQuota.read(project, at: directory).isNobodys {
        try directory.setProject(project)
        // Somebody may have taken it at the same moment, and has found out as well.
        if try ProjectQuota.read(project, at: directory).inodes == 1 { return try ProjectQuota.limit(project, to: bytes, at: directory) }
      }
    }
    throw Fault(.resourceExhausted, "no number for its project quota is free")
  }

  /// Nil for a directory that is no project of ours.
  private static func project(_ directory: borrowing Directory) -> UInt32? {
    let project = directory.project()
    return range.contains(project) ? project : nil
  }

  /// The filesystem forgets the project when the last of its files is gone.
  static func release(_ directory: borrowing Directory) throws {
    if let project = project(directory) { try ProjectQuota.limit(project, to: 0, at: directory) }
  }

  /// All that is in it; nil where it is no project of ours.
  static func usage(_ path: String) throws -> DiskUsage? {
    let directory = try Directory.open(path)
    guard let project = project(directory) else { return nil }
    let quota = try ProjectQuota.read(project, at: directory)
    return DiskUsage(bytes: quota.bytes, inodes: quota.inodes)
  }
}

extension ProjectQuota {
  fileprivate var isNobodys: Bool { bytes == 0 && inodes == 0 && limit == 0 }
}
