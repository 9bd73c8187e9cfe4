import Linux
import Spec

/// What every pod gets that does not say otherwise.
package struct PodDefaults: Sendable, Hashable {
  /// Any process may listen on ports below 1024: they are the pod's own.
  package var unprivilegedPorts = true
  /// Any process may send pings without CAP_NET_RAW.
  package var unprivilegedPing = true

  /// By their names with dots, each of a namespace that pods may have of their own.
  package var sysctls: [String: String] = [:]

  /// Bytes of a pod's /dev/shm.
  package var shmSize = 64 << 20
  /// Where network namespaces are mounted; it is there.
  package var netnsDirectory = "/run/netns"
  /// Pods on the host's network have a UTS namespace of their own, with the host's name.
  package var ownsUTS = false
  /// The lowest host IDs that a pod's user namespace may map.
  package var lowestUser: UInt32 = 0
  package var lowestGroup: UInt32 = 0
  package var userNamespaces = UserNamespaceSources()
  /// Pods on the host's network have no SELinux labels.
  package var hostNetworkHasNoLabels = false

  package init() {}

  /// For the namespaces of the pod's own: the operator's over these. The range of groups that may ping ends where the pod's user namespace does.
  func sysctls(_ pod: PodNamespaces) -> [String: String] {
    let wanted = sysctls.filter { SysctlScope($0.key) == .network ? pod.ownNetwork : pod.ownIPC }
    guard pod.ownNetwork else { return wanted }
    var sysctls: [String: String] = [:]
    if unprivilegedPorts { sysctls["net.ipv4.ip_unprivileged_port_start"] = "0" }
    let last = pod.idMaps.map { maps in maps.groups.first { $0.inside == 0 }.map { $0.count - 1 } ?? 0 } ?? UInt32(Int32.max)
    if unprivilegedPing { sysctls["net.ipv4.ping_group_range"] = "0 \(min(last, UInt32(Int32.max)))" }
    return sysctls.merging(wanted) { $1 }
  }

  /// `net/ipv4/ip_forward` and `net.ipv4.ip_forward` are one name (sysctl(8)): the first separator decides.
  static func dotted(_ name: String) -> String {
    guard name.first(where: { $0 == "." || $0 == "/" }) == "/" else { return name }
    return String(name.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
  }
}
