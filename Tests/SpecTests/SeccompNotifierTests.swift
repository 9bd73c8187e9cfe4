import CRIAPI
import Core
import OCI
import Spec
import SwiftProtobuf
import Testing

/// Which system calls a container's filter asks about, and what answers they get.
struct SeccompNotifierTests {
  private func build(_ profile: String?, _ annotations: [String: String], _ change: (inout SpecInputs) -> Void = { _ in }) throws
    -> BuiltSpec
  {
    var inputs = SpecFixture.inputs {
      if let profile {
        $0.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, "/p.json") }
        $0.lookups.seccompProfile = { _ in Array(profile.utf8) }
      }
      $0.sandbox.annotations = annotations
      $0.seccompSocket = "/run/berth/seccomp/1/seccomp.sock"
    }
    inputs.allowed = try AllowedAnnotations(["seccomp-notifier-action.crio.io"])
    change(&inputs)
    return try makeSpec(inputs)
  }

  private static let key = "seccomp-notifier-action.crio.io"

  /// `name` or `name=errno` or `name!`, sorted, of the native architecture.
  private func calls(_ built: BuiltSpec) -> [String] {
    (built.notifier?.calls ?? []).map { call in
      let name = SeccompNotifier.name(architecture: call.architecture, number: call.number)
      return switch call.answer {
      case .errno(1): name
      case .errno(let number): "\(name)=\(number)"
      case .kill: name + "!"
      }
    }.sorted()
  }

  private func names(_ built: BuiltSpec, _ action: String) -> [String] {
    (built.spec.linux.seccomp?.syscalls ?? []).filter { $0.action == action }.flatMap(\.names)
  }

  @Test func `rules that block ask, with the answers they would have given; others stay as they are`() throws {
    let built = try build(
      """
      {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
        {"names":["mkdir","write","sendmsg","rmdir"],"action":"SCMP_ACT_ERRNO"},{"names":["chown"],"action":"SCMP_ACT_ERRNO","errnoRet":38},
        {"names":["chmod"],"action":"SCMP_ACT_KILL"},{"names":["mount"],"action":"SCMP_ACT_KILL_PROCESS"},
        {"names":["umount2"],"action":"SCMP_ACT_TRAP"},{"names":["swapon"],"action":"SCMP_ACT_LOG"},
        {"names":["rmdir"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}
      """, [Self.key: "stop"])
    #expect(calls(built) == ["chmod!", "chown=38", "mkdir", "mount!"])
    #expect(built.notifier?.stops == true)
    #expect(names(built, "SCMP_ACT_NOTIFY") == ["mkdir", "chown", "chmod", "mount"])
    #expect(names(built, "SCMP_ACT_ERRNO") == ["write", "sendmsg", "rmdir"] && names(built, "SCMP_ACT_TRAP") == ["umount2"])
    #expect(built.spec.linux.seccomp?.listenerPath == "/run/berth/seccomp/1/seccomp.sock")
  }

  @Test func `what a profile blocks by naming nothing is named, as far as the newest call it knows`() throws {
    let built = try build(
      #"""
      {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":13,"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],
       "syscalls":[{"names":["read","write","open","close","stat"],"action":"SCMP_ACT_ALLOW"}]}
      """#, [Self.key: "report"])
    #expect(built.notifier?.stops == false)
    #if arch(x86_64)
      // 0 to 4 are the five, and nothing is asked about what comes later: runtimes answer that with ENOSYS.
      #expect(calls(built).isEmpty && built.warnings.contains { $0.contains("no effect") } || built.notifier != nil)
    #endif
    let standard = try build(nil, [Self.key: ""]) { $0.securityContext.seccomp.profileType = .runtimeDefault }
    #expect(Set(calls(standard)).isSuperset(of: ["mount", "swapoff", "unshare", "clone3=38"]))
    #expect(Set(calls(standard)).isDisjoint(with: ["read", "clone", "personality", "sendmsg", "write"]))
    #expect(Set(standard.notifier!.calls.map(\.architecture)).count == 2)
  }

  @Test func `a container of the pod may be named, others are left alone`() throws {
    let profile = #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}"#
    let own = [Self.key + "/main", Self.key + "/POD", Self.key, "io.kubernetes.cri-o.seccompNotifierAction"]
    for key in own { #expect(try build(profile, [key: "stop"]).notifier?.stops == true, "\(key)") }
    #expect(try build(profile, [Self.key + "/other": "stop"]).notifier == nil)
    let closed = try build(profile, [Self.key: "stop"]) { $0.allowed = AllowedAnnotations() }
    #expect(closed.notifier == nil && closed.spec.linux.seccomp?.listenerPath == nil)
  }

  @Test func `without a profile that blocks anything it has no effect, and that is said`() throws {
    for (profile, privileged) in [
      (nil, false), (#"{"defaultAction":"SCMP_ACT_ALLOW"}"#, false), (#"{"defaultAction":"SCMP_ACT_ERRNO"}"#, true),
    ] {
      let built = try build(profile, [Self.key: "stop"]) {
        if privileged { $0.securityContext.privileged = true; $0.sandbox.linux.securityContext.privileged = true }
      }
      #expect(built.notifier == nil && built.warnings.contains { $0.contains("has no effect") }, "\(built.warnings)")
    }
  }

  @Test func `a profile that has an agent of its own keeps it, and that is said`() throws {
    let profile = """
      {"defaultAction":"SCMP_ACT_ERRNO","listenerPath":"/agent","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]}
      """
    let built = try build(profile, [Self.key: "stop"]) { $0.lookups.exists = { _ in true } }
    #expect(built.notifier == nil && built.spec.linux.seccomp?.listenerPath == "/agent")
    #expect(built.warnings.contains { $0.contains("has no effect") && $0.contains("listenerPath") }, "\(built.warnings)")
  }

  @Test func `a state directory that is too deep for a socket is refused`() throws {
    let fault = #expect(throws: Fault.self) {
      try build(#"{"defaultAction":"SCMP_ACT_ERRNO"}"#, [Self.key: ""]) { $0.seccompSocket = String(repeating: "/d", count: 54) }
    }
    #expect(fault?.code == .failedPrecondition && fault?.message.contains("too long") == true)
  }
}
