package import CRIAPI
package import Core
import OCI

extension SpecInputs {
  /// The kernel knows which labels its policy allows.
  func checkLabel() throws(Fault) {
    guard let labels, try !stage("SELinux", { try lookups.isLabel(labels.process) }) else { return }
    throw Fault(
      .invalidArgument, "linux.security_context.selinux_options: \"\(labels.process.prefix(300))\" is no label of this node's policy")
  }
}

/// Volumes that a container may use though its label differs from theirs: they get its own.
package enum Relabelling {
  private static let ofSystem: Set = [
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv",
    "/sys", "/tmp", "/usr", "/var", "/var/lib", "/var/log", "/var/run", "/var/tmp",
  ]

  /// Host paths to relabel, symlinks resolved. FAILED_PRECONDITION for what is the host's own: it would lock the host out.
  /// - Parameter root: where the host's root is.
  package static func paths(_ mounts: [Runtime_V1_Mount], root: String = "", resolved: (String) -> String) throws(Fault) -> [String] {
    var paths: [String] = []
    for (index, mount) in mounts.enumerated() where mount.selinuxRelabel && !mount.isImage {
      let path = ContainerPath.clean(resolved(mount.hostPath))
      let inside = !root.isEmpty && ContainerPath.contains(root, path) ? ContainerPath.clean("/" + path.dropFirst(root.count)) : path
      if ofSystem.contains(inside) || ContainerPath.contains("/proc", inside) || ContainerPath.contains("/sys", inside) {
        throw Fault(.failedPrecondition, "mounts[\(index)].selinux_relabel: \(path) belongs to the host, its label stays")
      }
      paths.append(path)
    }
    return paths
  }
}
