package import OCI

/// The filter that RuntimeDefault means: what ordinary programs call is allowed, the rest is EPERM; calls that administrate the kernel come with the
/// capability that stands for them. The policy is the one Docker and containerd made common.
package enum DefaultSeccomp {
  private static let permissionDenied: UInt32 = 1
  private static let noSuchCall: UInt32 = 38
  private static let addressFamilyVSock: UInt64 = 40
  /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (linux/sched.h).
  private static let newNamespaces: UInt64 = 0x7E02_0000
  /// PER_LINUX, PER_LINUX32, their UNAME26 forms, and the question for the current one (sys/personality.h).
  private static let personalities: [UInt64] = [0x0, 0x8, 0x20000, 0x20008, 0xFFFF_FFFF]

  package static func profile(for capabilities: Set<Capability>) -> RuntimeSpec.Seccomp {
    var profile = RuntimeSpec.Seccomp(defaultAction: "SCMP_ACT_ERRNO")
    profile.defaultErrnoRet = permissionDenied
    profile.architectures = SeccompArchitecture.all
    profile.syscalls = [allow(names(for: capabilities))] + personalityRules + [socketRule] + cloneRules(capabilities)
    return profile
  }

  /// Names allowed whatever their arguments, sorted, without those this libseccomp does not know.
  private static func names(for capabilities: Set<Capability>) -> [String] {
    var names = common
    for (capability, more) in extra where capabilities.contains(capability) { names.formUnion(more) }
    return names.sorted()
  }

  private static let common = Set(SyscallNames.everyone + (SyscallNames.byArchitecture[SeccompArchitecture.native] ?? []))
    .filter(SyscallTable.knows)
  private static let extra = SyscallNames.byCapability.mapValues { $0.filter(SyscallTable.knows) }

  private static var personalityRules: [RuntimeSpec.SeccompRule] {
    personalities.map { allow(["personality"], [RuntimeSpec.SeccompArgument(index: 0, value: $0, op: "SCMP_CMP_EQ")]) }
  }

  /// vsock leads to the hypervisor, past every network policy.
  private static var socketRule: RuntimeSpec.SeccompRule {
    allow(["socket"], [RuntimeSpec.SeccompArgument(index: 0, value: addressFamilyVSock, op: "SCMP_CMP_NE")])
  }

  /// New namespaces are for those who may make them. clone3 hides its flags in memory a filter cannot read: ENOSYS makes libc fall back to clone.
  private static func cloneRules(_ capabilities: Set<Capability>) -> [RuntimeSpec.SeccompRule] {
    if capabilities.contains(.sysAdmin) { return [] }
    let flagsIndex: UInt32 = SeccompArchitecture.native == "s390x" ? 1 : 0
    let flags = RuntimeSpec.SeccompArgument(index: flagsIndex, value: newNamespaces, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ")
    return [
      allow(["clone"], [flags]), RuntimeSpec.SeccompRule(names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: noSuchCall),
    ]
  }

  private static func allow(_ names: [String], _ args: [RuntimeSpec.SeccompArgument]? = nil) -> RuntimeSpec.SeccompRule {
    RuntimeSpec.SeccompRule(names: names, action: "SCMP_ACT_ALLOW", args: args)
  }
}
