/// Where a container's cgroup is.
package enum CgroupPath {
  /// Prefix of scopes made through systemd: `berth-<id>.scope`.
  package static let prefix = "berth"

  /// The spec's cgroupsPath: `<parent>/<id>`, or for a systemd slice `<slice>:berth:<id>`, which runc wants with `--systemd-cgroup`.
  package static func make(parent: String, id: String) -> String {
    if isSystemd(parent) { return "\(ContainerPath.clean(parent).split(separator: "/").last ?? ""):\(prefix):\(id)" }
    return ContainerPath.clean(parent.isEmpty ? "/berth/\(id)" : "\(parent)/\(id)")
  }

  /// Whether the kubelet's cgroup driver is systemd: then parents are slices.
  package static func isSystemd(_ parent: String) -> Bool { parent.hasSuffix(".slice") || parent.hasSuffix(".slice/") }
}
