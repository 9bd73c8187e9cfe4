import CRIAPI
import Core
import OCI
import Spec
import Testing

struct SeccompSpecTests {
  private func names(_ profile: RuntimeSpec.Seccomp) -> Set<String> {
    Set(profile.syscalls!.filter { $0.action == "SCMP_ACT_ALLOW" && $0.args == nil }.flatMap(\.names))
  }

  @Test func theDefaultProfileAllowsProgramsAndNotAdministration() {
    let profile = DefaultSeccomp.profile(for: Capability.defaults)
    let allowed = names(profile)
    #expect(profile.defaultAction == "SCMP_ACT_ERRNO" && profile.defaultErrnoRet == 1)
    #expect(allowed.count > 300)
    #expect(allowed.isSuperset(of: ["read", "execve", "futex", "openat2", "chroot", "statx", "clock_nanosleep"]))
    let refused = [
      "mount", "bpf", "keyctl", "add_key", "request_key", "unshare", "setns", "reboot", "io_uring_setup", "userfaultfd", "clone3",
    ]
    #expect(allowed.isDisjoint(with: refused))
  }

  @Test func capabilitiesOpenWhatTheyStandFor() {
    let admin = names(DefaultSeccomp.profile(for: [.sysAdmin, .sysTime]))
    #expect(admin.isSuperset(of: ["mount", "clone", "clone3", "unshare", "clock_settime"]))
    #expect(!admin.contains("reboot"))
    #expect(!names(DefaultSeccomp.profile(for: [])).contains("chroot"))
  }

  @Test func clone3IsNotImplementedAndCloneMakesNoNamespaces() throws {
    let rules = try #require(DefaultSeccomp.profile(for: []).syscalls)
    #expect(rules.first { $0.names == ["clone3"] }?.errnoRet == 38)
    #expect(rules.first { $0.names == ["clone"] }?.args?.first?.value == 0x7E02_0000)
    #expect(rules.count { $0.names == ["personality"] } == 5)
  }

  @Test func nothingSaidAndUnconfinedMeanNoFilter() throws {
    #expect(try SpecFixture.build().linux.seccomp == nil)
    #expect(try SpecFixture.build { $0.securityContext.seccomp.profileType = .unconfined }.linux.seccomp == nil)
    #expect(try SpecFixture.build { $0.securityContext.seccompProfilePath = "unconfined" }.linux.seccomp == nil)
    #expect(try SpecFixture.build { $0.securityContext.seccompProfilePath = "runtime/default" }.linux.seccomp != nil)
    #expect(try SpecFixture.build { $0.securityContext.seccomp.profileType = .runtimeDefault }.linux.seccomp != nil)
  }

  private func localhost(_ json: String?, _ change: @escaping (inout SpecInputs) -> Void = { _ in }) -> SpecInputs {
    SpecFixture.inputs {
      $0.securityContext.seccomp.profileType = .localhost
      $0.securityContext.seccomp.localhostRef = "/profiles/p.json"
      $0.lookups.seccompProfile = { path in path == "/profiles/p.json" ? json.map { Array($0.utf8) } : nil }
      change(&$0)
    }
  }

  @Test func aProfileOfTheNodeIsReadInBothFormats() throws {
    let built = try makeSpec(
      localhost(
        """
        {"defaultAction":"SCMP_ACT_ALLOW","architectures":null,"archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],
         "syscalls":[{"names":["mkdir","fly_away"],"action":"SCMP_ACT_ERRNO","args":null},
          {"name":"chmod","action":"SCMP_ACT_LOG","includes":{"caps":["CAP_CHOWN"]}},
          {"names":["reboot"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_BOOT"]}},
          {"names":["rmdir"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_CHOWN"]}},
          {"names":["only_unknown"],"action":"SCMP_ACT_ERRNO"}]}
        """))
    #expect(built.spec.linux.seccomp?.syscalls?.map(\.names) == [["mkdir"], ["chmod"]])
    #expect(built.warnings == ["seccomp profile /profiles/p.json: system calls this node does not know: fly_away, only_unknown"])
  }

  @Test(
    arguments: [
      (nil, "seccomp profile /profiles/p.json: there is no such file"),
      ("{", "not valid JSON"),
      (#"{"syscalls":[]}"#, "defaultAction is missing"),
      (#"{"defaultAction":"ALLOW"}"#, "defaultAction: \"ALLOW\" is not known"),
      (#"{"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/agent"}"#, "defaultAction: SCMP_ACT_NOTIFY"),
      (
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]}"#,
        "listenerPath: is missing, and mkdir"
      ),
      (
        #"{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"agent","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]}"#,
        "listenerPath: \"agent\" is not an absolute path"
      ),
      (
        #"{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/agent","syscalls":[{"names":["read","write"],"action":"SCMP_ACT_NOTIFY"}]}"#,
        "syscalls[0].names: write"
      ),
      (#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"X"}]}"#, "syscalls[0].action: \"X\" is not known"),
      (
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG","args":[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]}]}"#,
        "syscalls[0].args[0].index: 6"
      ),
    ] as [(String?, String)])
  func aBadProfileNamesItselfAndTheFault(json: String?, reason: String) {
    let error = #expect(throws: Fault.self) { try makeSpec(localhost(json)) }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    #expect(error?.message.hasPrefix("linux.security_context.seccomp.localhost_ref: seccomp profile /profiles/p.json") == true)
  }

  private let asking = """
    {"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/agent","listenerMetadata":"m",
     "syscalls":[{"names":["mkdir","fly_away"],"action":"SCMP_ACT_NOTIFY"}]}
    """

  @Test func `a profile whose calls ask names its agent, who has to be there; other profiles have none`() throws {
    let built = try makeSpec(localhost(asking) { $0.lookups.exists = { $0 == "/agent" } }).spec.linux.seccomp
    #expect(built?.listenerPath == "/agent" && built?.listenerMetadata == "m")
    #expect(built?.syscalls == [RuntimeSpec.SeccompRule(names: ["mkdir"], action: "SCMP_ACT_NOTIFY")])
    let missing = #expect(throws: Fault.self) { try makeSpec(localhost(asking) { $0.lookups.exists = { _ in false } }) }
    #expect(missing?.code == .failedPrecondition && missing?.message.contains("listenerPath /agent") == true)
    let quiet = try makeSpec(localhost(asking.replacing("NOTIFY", with: "LOG")) { $0.lookups.exists = { _ in false } })
    #expect(quiet.spec.linux.seccomp?.listenerPath == nil && quiet.spec.linux.seccomp?.syscalls?.count == 1)
  }

  @Test func aProfileReferenceMustBeAPath() {
    #expect(SpecFixture.fault { $0.securityContext.seccompProfilePath = "docker" }.message.contains("\"docker\" is no profile"))
    let relative = SpecFixture.fault {
      $0.securityContext.seccomp.profileType = .localhost
      $0.securityContext.seccomp.localhostRef = "p.json"
    }
    #expect(relative.message.contains("not an absolute path"))
    #expect(SpecFixture.fault { $0.securityContext.seccomp.profileType = .UNRECOGNIZED(7) }.message.contains("no type 7"))
  }

  @Test func flagsThatNobodyKnowsAreNamed() throws {
    let known = try makeSpec(localhost(#"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG"]}"#)).spec
    #expect(known.linux.seccomp?.flags == ["SECCOMP_FILTER_FLAG_LOG"])
    let error = #expect(throws: Fault.self) {
      try makeSpec(localhost(#"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG","LOUD"]}"#))
    }
    #expect(error?.code == .invalidArgument)
    for word in ["seccomp.localhost_ref", "/profiles/p.json", "flags[1]: \"LOUD\" is not known"] {
      #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    }
  }
}
