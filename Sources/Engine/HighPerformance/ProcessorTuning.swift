import CRIAPI
import Core
import Linux
import Spec

/// What the annotations of a pod want for the processors that a container has for itself (CRI-O's names; see ``ExperimentalAnnotation``).
struct ProcessorTuning: Sendable, Hashable, Codable {
  enum Interrupts: String, Sendable, Codable {
    /// None of the processors takes any.
    case elsewhere
    /// Only the first, and its siblings in one core.
    case housekeeping
  }

  /// The container's own, `2-5`.
  var processors: String
  /// Processors that it has besides, together with others.
  var shared: String?
  /// The scheduler leaves threads where they are.
  var keepsThreads = false
  /// No CFS quota, though there is a limit.
  var hasNoQuota = false
  var interrupts: Interrupts?
  /// For `pm_qos_resume_latency_us`: how long it may take to wake.
  var latency: String?
  var governor: String?

  private init(processors: String) { self.processors = processors }

  /// Nil where nothing is asked for, or it is not for such a container: only those of guaranteed pods with whole processors of their own are meant.
  /// INVALID_ARGUMENT for a value that means nothing.
  /// - Parameters:
  ///   - container: its name, by which the pod may speak of it alone.
  ///   - shared: what it has besides its own.
  init?(
    _ resources: Runtime_V1_LinuxContainerResources, of container: String, shared: CPUSet?, in pod: Runtime_V1_PodSandboxConfig,
    _ allowed: AllowedAnnotations
  ) throws(Fault) {
    guard Self.isExclusive(resources, pod) else { return nil }
    self.init(processors: resources.cpusetCpus)
    self.shared = shared.map { "\($0)" }
    let said = Annotations(pod: pod.annotations, container: container, allowed: allowed)
    keepsThreads = try said.isDisabled(.cpuLoadBalancing)
    hasNoQuota = try said.isDisabled(.cpuQuota)
    interrupts = try said.interrupts()
    latency = try said.latency()
    governor = try said.governor()
    if self == ProcessorTuning(processors: processors) { return nil }
  }

  static func isExclusive(_ resources: Runtime_V1_LinuxContainerResources, _ pod: Runtime_V1_PodSandboxConfig) -> Bool {
    let parent = pod.linux.cgroupParent
    return !parent.contains("burstable") && !parent.contains("besteffort") && resources.cpuShares % 1024 == 0
      && CPUSet(resources.cpusetCpus)?.isEmpty == false
  }
}

/// The values of a pod's annotations, as far as it may use them.
private struct Annotations {
  let pod: [String: String]
  let container: String
  let allowed: AllowedAnnotations

  /// How processors sleep and run is said for all of a pod.
  private func value(_ name: ExperimentalAnnotation) -> String? { allowed.podValue(name, in: pod) }

  private func ownValue(_ name: ExperimentalAnnotation) -> String? { allowed.containerValue(name, [:], container: container, in: pod) }

  private func refuse(_ name: ExperimentalAnnotation, _ value: String, _ possible: String) -> Fault {
    Fault(.invalidArgument, "annotation \(name.rawValue): \"\(value.prefix(100))\", possible is \(possible)")
  }

  /// `true` is how it was once written.
  func isDisabled(_ name: ExperimentalAnnotation) throws(Fault) -> Bool {
    switch ownValue(name) {
    case "disable", "true": return true
    case nil, "enable", "false": return false
    case let other?: throw refuse(name, other, "disable")
    }
  }

  func interrupts() throws(Fault) -> ProcessorTuning.Interrupts? {
    if ownValue(.irqLoadBalancing) == "housekeeping" { return .housekeeping }
    return try isDisabled(.irqLoadBalancing) ? .elsewhere : nil
  }

  /// `n/a` is the kernel's word for none at all, 0 for any.
  func latency() throws(Fault) -> String? {
    guard let text = value(.cpuCStates) else { return nil }
    switch text {
    case "enable": return "0"
    case "disable": return "n/a"
    default:
      let figure = text.hasPrefix("max_latency:") ? Int32(text.dropFirst("max_latency:".count)) : nil
      guard let figure, figure > 0 else { throw refuse(.cpuCStates, text, "enable, disable or max_latency: and microseconds") }
      return "\(figure)"
    }
  }

  func governor() throws(Fault) -> String? {
    guard let text = value(.cpuFreqGovernor) else { return nil }
    let isName = !text.isEmpty && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
    guard isName else { throw refuse(.cpuFreqGovernor, text, "a governor's name") }
    return text
  }
}
