import Core
import Linux

/// A mount namespace that kubelet and runtime share, so that systemd need not look at the mounts of every pod (kubensmnt: a service makes it and
/// names it in the environment of both).
enum KubeMountNamespace {
  private static let variable = "KUBENSMNT"

  /// Before anything is mounted. Not without it where it cannot be joined: the kubelet's volumes would be somewhere else, and pods write beside them.
  static func join() throws(Fault) {
    guard let path = Environment.value(variable), !path.isEmpty else { return }
    do throws(SystemError) { try Process.restart(inMountNamespace: path) } catch {
      throw Fault(.failedPrecondition, "\(variable): \(error)", cause: error)
    }
  }
}
