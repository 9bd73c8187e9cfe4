/// Which of a pod's namespaces a sysctl belongs to.
package enum SysctlScope: Sendable {
  case network, ipc

  private static let ofIPC: Set = [
    "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.msgmax", "kernel.msgmnb",
    "kernel.msgmni", "kernel.auto_msgmni", "kernel.msg_next_id", "kernel.sem_next_id", "kernel.shm_next_id",
  ]

  /// By its name with dots; `nil` for one that belongs to no namespace of a pod (ipc_namespaces(7), network_namespaces(7)).
  package init?(_ name: String) {
    if name.hasPrefix("net.") {
      self = .network
    } else if Self.ofIPC.contains(name) || name.hasPrefix("fs.mqueue.") {
      self = .ipc
    } else {
      return nil
    }
  }
}
