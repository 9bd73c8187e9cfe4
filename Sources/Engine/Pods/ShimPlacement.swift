import Core
import Linux

/// Where pods' shims live and what they may use, as far as the operator says (`[shim]`).
package struct ShimPlacement: Sendable, Hashable {
  /// A cgroup for the shims of all pods, `/berth-shims`; nil for one below each pod's own, so that it is counted there.
  package var cgroup: String?
  /// The processors of shims and of those that hold namespaces, `0-1`; nil for any.
  package var processors: String?
  /// Their weight beside containers; nil for the kernel's own.
  package var shares: Int?
  package var oomScore: Int32 = -998

  package init() {}
}

extension SandboxPlan {
  mutating func place(_ placement: ShimPlacement) {
    if let common = placement.cgroup {
      podCgroup = Files.parent(of: cgroup)
      cgroup = "\(common)/\(id)"
    }
    (shimProcessors, shimShares, shimOOMScore) = (placement.processors, placement.shares, placement.oomScore)
  }
}
