/// An annotation that gives a pod or a container what the CRI has no field for. Since whoever makes a pod can write one, each counts only where the
/// node's operator allows it (`allowed_annotations`). Names are CRI-O's, so that what was written for it means the same here.
package enum ExperimentalAnnotation: String, Sendable, CaseIterable {
  /// The file mode creation mask of a container's first process: up to four octal digits.
  case umask = "umask.crio.io"
  /// Files of cgroup v2 that a container's limits include: `memory.high=100000000;pids.max=max`.
  case unifiedCgroup = "unified-cgroup.crio.io"
  /// Devices of the host for containers, of those that the node allows (`allowed_devices`): `/dev/fuse:/dev/fuse:rwm,/dev/net/tun`.
  case devices = "devices.crio.io"
  /// `true`: a container may write below its own cgroup (v2).
  case writableCgroups = "cgroup2-mount-hierarchy-rw.crio.io"
  /// `true`: a volume whose top has the right SELinux label is not relabelled.
  case trustedLabels = "try-skip-volume-selinux-label.crio.io"

  /// What it was called before 2026.
  package var oldName: String {
    switch self {
    case .umask: "io.kubernetes.cri-o.umask"
    case .unifiedCgroup: "io.kubernetes.cri-o.UnifiedCgroup"
    case .devices: "io.kubernetes.cri-o.Devices"
    case .writableCgroups: "io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw"
    case .trustedLabels: "io.kubernetes.cri-o.TrySkipVolumeSELinuxLabel"
    }
  }

  /// By either name.
  package init?(named name: String) {
    guard let found = Self.allCases.first(where: { $0.rawValue == name || $0.oldName == name }) else { return nil }
    self = found
  }
}

/// The annotations that some pod or container may use.
package struct AllowedAnnotations: Sendable, Hashable {
  /// What a pod or a container says under the name it used, for messages.
  package typealias Found = (name: String, value: String)

  private var names: Set<ExperimentalAnnotation> = []

  /// - Parameter names: either one's; others are left out.
  package init(_ names: [String] = []) { self.names = Set(names.compactMap(ExperimentalAnnotation.init(named:))) }

  package func contains(_ annotation: ExperimentalAnnotation) -> Bool { names.contains(annotation) }

  package func union(_ other: AllowedAnnotations) -> AllowedAnnotations {
    var both = self
    both.names.formUnion(other.names)
    return both
  }

  /// What `annotations` say, where that is allowed: under `NAME/suffix` before `NAME`, a new name before an old one.
  package func find(_ annotation: ExperimentalAnnotation, in annotations: [String: String], suffix: String? = nil) -> Found? {
    guard contains(annotation) else { return nil }
    for name in Self.names(of: annotation, suffix) { if let value = annotations[name] { return (name, value) } }
    return nil
  }

  /// Names in `annotations` that would mean something if they were allowed.
  package func refused(in annotations: [String: String]) -> [String] {
    let unknown = ExperimentalAnnotation.allCases.filter { !contains($0) }.flatMap { [$0.rawValue, $0.oldName] }
    return annotations.keys.filter { key in unknown.contains { key == $0 || key.hasPrefix($0 + "/") } }.sorted()
  }

  private static func names(of annotation: ExperimentalAnnotation, _ suffix: String?) -> [String] {
    let plain = [annotation.rawValue, annotation.oldName]
    guard let suffix else { return plain }
    return plain.map { "\($0)/\(suffix)" } + ["\(annotation.oldName).\(suffix)"] + plain
  }
}
