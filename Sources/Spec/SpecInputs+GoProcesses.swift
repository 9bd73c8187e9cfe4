import CRIAPI

/// Go programs start a thread for each processor of the node that they see, however small their share of them. Go 1.25 heeds a limit by itself, but
/// knows nothing of requests.
extension SpecInputs {
  private static let refusal = "skip-gomaxprocs.crio.io"

  /// What GOMAXPROCS is to be, as CRI-O reckons it: twice the processors that the container asks for, which may be idle beside them. Nil leaves it alone: where the operator does not want it, in pods that are guaranteed what they use, in containers with
  /// a limit, and where the pod's annotation says so.
  var goProcesses: Int64? {
    let least = node.defaults.goProcesses
    let resources = container.linux.resources
    let parent = sandbox.linux.cgroupParent
    guard least > 0, resources.cpuQuota <= 0, parent.contains("burstable") || parent.contains("besteffort"),
      sandbox.annotations[Self.refusal] != "true"
    else { return nil }
    let (whole, rest) = (2 * resources.cpuShares).quotientAndRemainder(dividingBy: 1024)
    return max(least, rest > 0 ? whole + 1 : whole)
  }
}
