package import Core

/// Annotations of pods that change what the CRI has no field for, by CRI-O's names where it has one. They count only where the pod's runtime handler,
/// or a workload that it belongs to, allows them: who may create pods must not thereby be allowed all that a node can do.
package enum ExperimentalAnnotation: String, Sendable, Hashable, CaseIterable {
  /// Size of the pod's /dev/shm.
  case shmSize = "shm-size.crio.io"
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
  /// An OCI artifact with the seccomp profile of a container (`NAME/CONTAINER`) or of all of a pod (`NAME/POD`); also of an image's manifest.
  case seccompProfile = "seccomp-profile.crio.io"
  /// `stop`: blocked system calls of a container (`NAME/CONTAINER`) or of all of a pod are counted, and who tried some is killed; any other value: counted.
  case seccompNotifier = "seccomp-notifier-action.crio.io"
  /// `true`: the pod's containers do without FIPS mode on a node that is in it.
  case disableFIPS = "disable-fips.crio.io"
  /// The pod's user namespace, where the kubelet asks for none (``UserNamespaceMode``).
  case usernsMode = "userns-mode.crio.io"
  /// Of containers with processors of their own: threads stay where they are, no CFS quota, no interrupts, how deep processors sleep and how fast they
  /// run, and processors that a container has besides (`cpu-shared.crio.io/CONTAINER`).
  case cpuLoadBalancing = "cpu-load-balancing.crio.io"
  case cpuQuota = "cpu-quota.crio.io"
  case irqLoadBalancing = "irq-load-balancing.crio.io"
  case cpuCStates = "cpu-c-states.crio.io"
  case cpuFreqGovernor = "cpu-freq-governor.crio.io"
  case cpuShared = "cpu-shared.crio.io"
  /// What a container (`NAME/CONTAINER`) or each one of a pod may write beside its volumes: `500Mi`; no more than the node allows.
  case writableLayerSize = "writable-layer-size.berth.dev"

  /// As it was called before, where it was.
  var formerName: String? {
    switch self {
    case .shmSize: "io.kubernetes.cri-o.ShmSize"
    case .umask: "io.kubernetes.cri-o.umask"
    case .unifiedCgroup: "io.kubernetes.cri-o.UnifiedCgroup"
    case .devices: "io.kubernetes.cri-o.Devices"
    case .writableCgroups: "io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw"
    case .trustedLabels: "io.kubernetes.cri-o.TrySkipVolumeSELinuxLabel"
    case .seccompProfile: "seccomp-profile.kubernetes.cri-o.io"
    case .seccompNotifier: "io.kubernetes.cri-o.seccompNotifierAction"
    case .disableFIPS: "io.kubernetes.cri-o.DisableFIPS"
    case .usernsMode: "io.kubernetes.cri-o.userns-mode"
    default: nil
    }
  }

  /// By either name.
  init?(named name: String) {
    guard let found = Self.allCases.first(where: { $0.rawValue == name || $0.formerName == name }) else { return nil }
    self = found
  }
}

/// Those that somebody's pods may use.
package struct AllowedAnnotations: Sendable, Hashable {
  package private(set) var names: Set<ExperimentalAnnotation> = []
  /// What the operator says for pods that do not say it, allowed or not.
  package var standard: [String: String] = [:]

  package init() {}

  /// INVALID_ARGUMENT for a name that means nothing here.
  package init(_ texts: [String]) throws(Fault) {
    for text in texts {
      guard let name = ExperimentalAnnotation(named: text) else {
        let known = ExperimentalAnnotation.allCases.map(\.rawValue).joined(separator: ", ")
        throw Fault(.invalidArgument, "annotation \"\(text.prefix(200))\" means nothing to Berth (there are: \(known))")
      }
      names.insert(name)
    }
  }

  package func union(_ other: AllowedAnnotations) -> AllowedAnnotations {
    var result = self
    result.names.formUnion(other.names)
    result.standard.merge(other.standard) { own, _ in own }
    return result
  }

  /// What the pod says, if it may: for all of it, or for one of its containers (`name/container`).
  package func value(_ name: ExperimentalAnnotation, in annotations: [String: String], container: String? = nil) -> String? {
    names.contains(name) ? Self.find(name, in: annotations, container) : nil
  }

  /// What holds for all of a pod: what it says, if it may, else the operator.
  package func podValue(_ name: ExperimentalAnnotation, in annotations: [String: String]) -> String? {
    value(name, in: annotations) ?? Self.find(name, in: standard, nil)
  }

  /// What holds for a container: what it says itself, else its pod about it, else its pod, each if it may; else the operator.
  package func containerValue(
    _ name: ExperimentalAnnotation, _ annotations: [String: String], container: String, in pod: [String: String]
  ) -> String? {
    value(name, in: annotations) ?? value(name, in: pod, container: container) ?? podValue(name, in: pod)
  }

  private static func find(_ name: ExperimentalAnnotation, in annotations: [String: String], _ container: String?) -> String? {
    let suffix = container.map { "/" + $0 } ?? ""
    return annotations[name.rawValue + suffix] ?? name.formerName.flatMap { annotations[$0 + suffix] }
  }

  /// Names of the pod's annotations that would mean something and are not allowed.
  package func refused(_ annotations: [String: String]) -> [String] {
    annotations.keys.filter { key in
      let name = key.split(separator: "/", maxSplits: 1).first.map(String.init) ?? key
      return ExperimentalAnnotation(named: name).map { !names.contains($0) } ?? false
    }.sorted()
  }
}
