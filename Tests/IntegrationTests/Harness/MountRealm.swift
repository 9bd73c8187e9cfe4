import Core
import Linux
import Support

/// A mount namespace with kernel filesystems as a script has arranged them. The script is given a scratch directory as `$1`, and must end by making
/// `$1/ready` and waiting.
enum MountRealm {
  /// `body` is given the words by which a command line is run there.
  static func with(_ script: String, _ body: ([String]) async throws -> Void) async throws {
    try await withScratch("realm") { scratch in
      let holder = try await start(scratch, script)
      defer {
        try? holder.signal(9)
        while !holder.ended(within: 1000) {}
        _ = try? holder.reap()
      }
      try await body(["/usr/bin/nsenter", "--mount=/proc/\(holder.pid)/ns/mnt", "--"])
    }
  }

  private static func start(_ scratch: String, _ script: String) async throws -> Pidfd {
    let nothing = try FileHandle.open("/dev/null")
    let log = try FileHandle.append(to: scratch + "/log")
    try Files.makeDirectories(scratch + "/tree")
    var spawn = Spawn(
      "/usr/bin/unshare", ["--mount", "--propagation", "private", "/bin/sh", "-ec", script, "sh", scratch],
      descriptors: [nothing.raw, log.raw, log.raw])
    spawn.environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    let started = spawn
    let holder = try await BlockingWork.run { try started.start() }
    try await eventually("mounts as they are wanted: \(scratch)/log") {
      if holder.hasEnded { throw Fault(.internal, String(decoding: try Files.read(scratch + "/log"), as: UTF8.self)) }
      return Files.exists(scratch + "/ready") ? true : nil
    }
    return holder
  }
}

/// A place where cgroup v2 is all there is. On a hybrid machine its controllers stay with v1: containers have groups of their own, without limits.
enum UnifiedRealm {
  static func with(_ body: ([String]) async throws -> Void) async throws {
    if try CgroupTree.detect().mode == .unified { return try await body([]) }
    try await MountRealm.with(script, body)
  }

  private static let script = #"""
    mount --bind /sys/fs/cgroup/unified $1/tree
    umount -l /sys/fs/cgroup
    mount --bind $1/tree /sys/fs/cgroup
    umount $1/tree
    echo ready >$1/ready
    exec sleep 100000
    """#
}
