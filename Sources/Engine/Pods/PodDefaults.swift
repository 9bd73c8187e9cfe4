import Linux
import Spec

/// What every pod gets that does not say otherwise.
package struct PodDefaults: Sendable, Hashable {
  /// Any process may listen on ports below 1024: they are the pod's own.
  package var unprivilegedPorts = true
  /// Any process may send pings without CAP_NET_RAW.
  package var unprivilegedPing = true

  package init() {}

  /// For a network namespace of the pod's own, as containerd has it. The range of groups that may ping ends where the pod's user namespace does.
  func sysctls(_ pod: PodNamespaces) -> [String: String] {
    guard pod.ownNetwork else { return [:] }
    var sysctls: [String: String] = [:]
    if unprivilegedPorts { sysctls["net.ipv4.ip_unprivileged_port_start"] = "0" }
    let last = pod.idMaps.map { maps in maps.groups.first { $0.inside == 0 }.map { $0.count - 1 } ?? 0 } ?? UInt32(Int32.max)
    if unprivilegedPing { sysctls["net.ipv4.ping_group_range"] = "0 \(min(last, UInt32(Int32.max)))" }
    return sysctls
  }

  /// `net/ipv4/ip_forward` and `net.ipv4.ip_forward` are one name (sysctl(8)): the first separator decides.
  static func dotted(_ name: String) -> String {
    guard name.first(where: { $0 == "." || $0 == "/" }) == "/" else { return name }
    return String(name.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
  }
}
