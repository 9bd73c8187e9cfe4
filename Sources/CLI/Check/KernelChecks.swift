import Linux

/// The kernel: its age, and what Berth needs of it.
enum KernelChecks {
  static let oldest = VersionNumber(5, 15)

  static func findings(_ node: Node) -> [Finding] {
    [age(node), overlay(node)] + [.pidfd, .openat2, .clone3].map { required($0, node) } + [seccomp(node)]
  }

  private static func age(_ node: Node) -> Finding {
    let release = node.text("/proc/sys/kernel/osrelease") ?? "unknown"
    guard let version = VersionNumber(release), version >= oldest else {
      return .unfit("kernel", "Linux \(release)", "Berth needs \(oldest) or newer")
    }
    return .good("kernel", "Linux \(release)")
  }

  private static func overlay(_ node: Node) -> Finding {
    let known = node.lines("/proc/filesystems").contains { $0.split(separator: "\t").last == "overlay" }
    guard known else { return .unfit("overlay", "the kernel does not know overlayfs", "modprobe overlay") }
    guard let refusal = node.kernel(.overlayAppend) else { return .good("overlay", "any number of layers (lowerdir+)") }
    if refusal.number == refusal.notPermitted {
      return .warning("overlay", "there, but what it can do is not shown to this user", "run berth check as root")
    }
    return .good("overlay", "up to 200 layers (no lowerdir+: \(refusal))")
  }

  private static func required(_ feature: KernelFeature, _ node: Node) -> Finding {
    guard let refusal = node.kernel(feature) else { return .good(feature.rawValue, "works") }
    return .unfit(feature.rawValue, "\(refusal)", "use a newer kernel, or a sandbox that allows this call")
  }

  private static func seccomp(_ node: Node) -> Finding {
    guard let refusal = node.kernel(.seccomp) else { return .good("seccomp", "works") }
    return .warning("seccomp", "\(refusal)", "containers run without a system-call filter; build the kernel with CONFIG_SECCOMP_FILTER")
  }
}
