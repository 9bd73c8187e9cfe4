import Linux

/// A place where crun agrees to the node's cgroups. On hybrid ones it demands that the v2 root has no controller left: here, in a mount
/// namespace of its own, the last ones are taken away by mounting v1 hierarchies for them. Nothing to do elsewhere.
enum CrunRealm {
  /// `body` is given the words by which a command line is run there.
  static func with(_ body: ([String]) async throws -> Void) async throws {
    let tree = try CgroupTree.detect()
    if tree.mode == .unified { return try await body([]) }
    try await MountRealm.with(script, body)
  }

  /// The tree of cgroup mounts again, in a tmpfs that may have more of them.
  private static let script = #"""
    tree=$1/tree
    mount -t tmpfs -o mode=755 tmpfs $tree
    for old in /sys/fs/cgroup/*; do
      if [ -L $old ]; then cp -P $old $tree/; else mkdir $tree/${old##*/}; mount --bind $old $tree/${old##*/}; fi
    done
    for controller in $(cat /sys/fs/cgroup/unified/cgroup.controllers); do
      mkdir $tree/$controller
      mount -t cgroup -o $controller cgroup $tree/$controller
    done
    mount --rbind $tree /sys/fs/cgroup
    umount -R $tree
    [ -z "$(cat /sys/fs/cgroup/unified/cgroup.controllers)" ]
    echo ready >$1/ready
    exec sleep 100000
    """#
}
