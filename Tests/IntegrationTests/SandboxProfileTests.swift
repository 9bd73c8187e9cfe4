import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Seccomp and AppArmor profiles that a pod names for itself, with and without a container that stands for the pod.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SandboxProfileTests {
  private typealias Security = (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void

  private static let settings = """
    [containers]
    host_path_timeout = 1
    [runtimes.infra]
    inherit_default_runtime = true
    infra_container = true

    """

  private func config(_ name: String, on node: Node, _ change: Security) throws -> Runtime_V1_PodSandboxConfig {
    try node.podConfig(name) {
      $0.linux.securityContext.namespaceOptions.network = .node
      change(&$0.linux.securityContext)
    }
  }

  private func file(_ path: String) -> Security {
    { $0.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, path) } }
  }

  private func armour(_ name: String) -> Security {
    { $0.apparmor = .with { ($0.profileType, $0.localhostRef) = (.localhost, name) } }
  }

  /// "Y" or "N"; nothing without the module.
  private var hasAppArmor: Bool { (try? Files.read("/sys/module/apparmor/parameters/enabled"))?.first == UInt8(ascii: "Y") }

  @Test(arguments: ["", "infra"]) func `one that is not there, or is none, is named, and no pod is left`(_ handler: String)
    async throws
  {
    try await withScratch("profiles") { scratch in
      try Files.write("no profile", to: scratch + "/text")
      let panic = #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "PANIC"}]}"#
      try Files.write(panic, to: scratch + "/action")
      try Files.makeDirectories(scratch + "/dead")
      let field = "linux.security_context.seccomp.localhost_ref"
      let cases: [(GRPCStatus.Code, [String], Security)] = [
        (.notFound, [field, "\(scratch)/none: there is no such file"], file(scratch + "/none")),
        (.notFound, [field, "\(scratch)/none: there is no such file"], file("localhost/\(scratch)/none")),
        (
          .notFound, ["linux.security_context.seccomp_profile_path", "\(scratch)/none"],
          { $0.seccompProfilePath = "localhost/\(scratch)/none" }
        ),
        (.failedPrecondition, [field, "\(scratch): is no regular file"], file(scratch)),
        (.invalidArgument, [field, "\(scratch)/text", "not valid JSON"], file(scratch + "/text")),
        (.invalidArgument, [field, "\(scratch)/action", "syscalls[0].action", "PANIC"], file(scratch + "/action")),
        (
          .failedPrecondition, ["linux.security_context.apparmor", "no-such-profile", hasAppArmor ? "is not loaded" : "has no AppArmor"],
          armour("no-such-profile")
        ),
        (.deadlineExceeded, ["host path \(scratch)/dead/profile"], file(scratch + "/dead/profile")),
      ]
      try await Node.with(settings: Self.settings) { node in
        let mount = try DeadMount.make(at: scratch + "/dead")
        for (index, (code, words, change)) in cases.enumerated() {
          await expectFault(code, words + ["pod default/bad-\(index)"]) {
            _ = try await node.run(try config("bad-\(index)", on: node, change), handler)
          }
        }
        #expect(try await node.pods().isEmpty)
        _ = consume mount
      }
    }
  }

  @Test(arguments: ["", "infra"]) func `what names none, or one that is there, is fine`(_ handler: String) async throws {
    try await withScratch("profiles") { scratch in
      try Files.write(#"{"defaultAction": "SCMP_ACT_ALLOW"}"#, to: scratch + "/profile", mode: 0o644)
      let fine: [Security] = [
        { ($0.seccomp.profileType, $0.apparmor.profileType) = (.unconfined, .unconfined) },
        { ($0.seccomp.profileType, $0.apparmor.profileType) = (.runtimeDefault, .runtimeDefault) },
        { $0.seccompProfilePath = "runtime/default" }, file(scratch + "/profile"),
        // Privileged pods have no filter, whatever they name.
        { [file] in
          file(scratch + "/none")(&$0)
          $0.privileged = true
        },
      ]
      try await Node.with(settings: Self.settings) { node in
        for (index, change) in fine.enumerated() {
          let pod = try await node.run(try config("fine-\(index)", on: node, change), handler)
          #expect(try await node.status(pod: pod).state == .sandboxReady)
          try await node.remove(pod: pod)
        }
      }
    }
  }
}
