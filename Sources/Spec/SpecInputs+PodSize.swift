import CRIAPI
import Core

/// What the kubelet reckons for a pod as a whole, as CRI-O tells the runtime of its infra container: the resources as JSON, by the annotations' names of
/// today and those before.
extension SpecInputs {
  var podSize: [String: String] {
    guard isInfraContainer else { return [:] }
    var size: [String: String] = [:]
    if sandbox.linux.hasOverhead { size.merge(Self.named("overhead", "Overhead", sandbox.linux.overhead)) { $1 } }
    if sandbox.linux.hasResources { size.merge(Self.named("resources", "Resources", sandbox.linux.resources)) { $1 } }
    return size
  }

  private static func named(_ name: String, _ former: String, _ resources: Runtime_V1_LinuxContainerResources) -> [String: String] {
    let text = String(decoding: resources.document.bytes, as: UTF8.self)
    return ["pod-linux-\(name).crio.io": text, "io.kubernetes.cri-o.PodLinux\(former)": text]
  }
}

extension Runtime_V1_LinuxContainerResources {
  /// With the members that are set, by the names of the CRI's own fields.
  fileprivate var document: JSON {
    let numbers = [
      ("cpu_period", cpuPeriod), ("cpu_quota", cpuQuota), ("cpu_shares", cpuShares), ("memory_limit_in_bytes", memoryLimitInBytes),
      ("oom_score_adj", oomScoreAdj), ("memory_swap_limit_in_bytes", memorySwapLimitInBytes),
    ].filter { $0.1 != 0 }.map { JSON.Member(key: $0.0, value: .number("\($0.1)")) }
    let texts = [("cpuset_cpus", cpusetCpus), ("cpuset_mems", cpusetMems)].filter { !$0.1.isEmpty }.map {
      JSON.Member(key: $0.0, value: .string($0.1))
    }
    let pages = hugepageLimits.map { ["page_size": .string($0.pageSize), "limit": .number("\($0.limit)")] as JSON }
    let files = unified.sorted { $0.key < $1.key }.map { JSON.Member(key: $0.key, value: .string($0.value)) }
    let lists =
      (pages.isEmpty ? [] : [JSON.Member(key: "hugepage_limits", value: .array(pages))])
      + (files.isEmpty ? [] : [JSON.Member(key: "unified", value: .object(files))])
    return .object(numbers + texts + lists)
  }
}
