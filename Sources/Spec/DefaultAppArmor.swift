/// The AppArmor profile that RuntimeDefault means (apparmor.d(5)): what no container needs of /proc and /sys is out of reach, nothing is mounted, and
/// only processes of such containers are traced. Files, network and capabilities are up to the container's other limits.
package enum DefaultAppArmor {
  package static let name = "berth-default"

  /// - Parameter includesBase: the node has `abstractions/base`, which lets programs receive what every program does.
  package static func profile(includesBase: Bool) -> String {
    """
    #include <tunables/global>

    profile \(name) flags=(attach_disconnected,mediate_deleted) {
    \(includesBase ? "  #include <abstractions/base>\n" : "")
      network,
      capability,
      file,
      umount,

      # Whoever stops a container is not confined, or is confined as its runtime.
      signal (receive) peer=unconfined,
      signal (receive) peer={runc,crun,berthd,berth-shim},
      signal (send,receive) peer=\(name),
      ptrace (trace,read,tracedby,readby) peer=\(name),

      deny mount,

      # Below /proc only processes' own directories and sys/kernel/shm* are written.
      deny @{PROC}/* w,
      deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/** w,
      deny @{PROC}/sys/[^k]** w,
      deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,
      deny @{PROC}/{sysrq-trigger,mem,kmem,kcore} rwklx,

      # Below /sys only cgroups are written.
      deny /sys/[^f]*/** wklx,
      deny /sys/f[^s]*/** wklx,
      deny /sys/fs/[^c]*/** wklx,
      deny /sys/fs/c[^g]*/** wklx,
      deny /sys/fs/cg[^r]*/** wklx,
      deny /sys/{firmware,devices/virtual/powercap,kernel/security}/** rwklx,
    }

    """
  }
}
