import CLinux

/// What everything below a directory occupies together, counted and limited by its filesystem: project quotas of ext4 and XFS (quotactl(2)).
package struct ProjectQuota: Sendable, Hashable {
  package var bytes: Int64
  package var inodes: Int64
  /// Bytes; 0 is none.
  package var limit: Int64

  /// Whether the filesystem that `directory` is on keeps projects to their limits.
  package static func isEnforced(at directory: String) -> Bool {
    guard let handle = try? FileHandle.open(directory, O_RDONLY | O_DIRECTORY), let device = try? device(handle) else { return false }
    return clinux_project_quotas_enforced(handle.raw, device) == 1
  }

  /// All zero where the filesystem knows nothing of `project`.
  package static func read(_ project: UInt32, at directory: borrowing Directory) throws(SystemError) -> ProjectQuota {
    let (raw, device) = (directory.handle.raw, try device(directory.handle))
    var quota = clinux_project_quota()
    do { try check("Q_GETQUOTA", "project \(project)") { clinux_get_project_quota(raw, device, project, &quota) } } catch {
      if error.is(ENOENT) { return ProjectQuota(bytes: 0, inodes: 0, limit: 0) }
      throw error
    }
    return ProjectQuota(bytes: Int64(clamping: quota.bytes), inodes: Int64(clamping: quota.inodes), limit: Int64(clamping: quota.limit))
  }

  /// - Parameter limit: bytes; 0 takes it away.
  package static func limit(_ project: UInt32, to limit: Int64, at directory: borrowing Directory) throws(SystemError) {
    let (raw, device) = (directory.handle.raw, try device(directory.handle))
    try check("Q_SETQUOTA", "project \(project)") { clinux_limit_project(raw, device, project, UInt64(limit)) }
  }

  /// Of the filesystem, for kernels that want to be told of one by its device.
  private static func device(_ handle: borrowing FileHandle) throws(SystemError) -> String {
    var status = stat()
    let raw = handle.raw
    try check("fstat") { fstat(raw, &status) }
    return "/dev/block/\(clinux_major(UInt64(status.st_dev))):\(clinux_minor(UInt64(status.st_dev)))"
  }
}

extension Directory {
  /// Its project; 0 is none, also where the filesystem has no projects.
  package func project() -> UInt32 {
    var project: UInt32 = 0
    return clinux_get_project(handle.raw, &project) == 0 ? project : 0
  }

  /// Of the directory, and of everything that is made below it from now on.
  package func setProject(_ project: UInt32) throws(SystemError) {
    let raw = handle.raw
    try check("FS_IOC_FSSETXATTR", "project \(project)") { clinux_set_project(raw, project) }
  }
}
