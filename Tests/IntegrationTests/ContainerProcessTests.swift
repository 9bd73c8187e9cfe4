import CRIAPI
import Core
import FoundationEssentials
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// What a container's process, and what is executed beside it, starts with.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ContainerProcessTests {
  private func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

  @Test(arguments: RuntimeSuiteTests.runtimes)
  func `an exec has the container's directory, environment, user, capabilities, umask and filter`(_ runtime: String) async throws {
    try await Node.with(runtime: runtime) { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("process") { $0.hostname = "web-1" })
      let script = """
        pwd; env | grep -E '^(HOSTNAME|WHO|PATH)=' | sort; id; umask
        grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status; ulimit -n
        """
      let id = try await node.launch("main", ["sh", "-c", script + "\necho done; exec sleep 1000"], in: pod) {
        $0.workingDir = "/not/in/the/image"
        $0.envs = [.with { ($0.key, $0.value) = ("WHO", .init("me".utf8)) }]
        $0.linux.securityContext.runAsUser.value = 1234
        $0.linux.securityContext.runAsGroup.value = 55
        $0.linux.securityContext.supplementalGroups = [77]
        $0.linux.securityContext.noNewPrivs = true
        $0.linux.securityContext.capabilities = .with { ($0.addCapabilities, $0.dropCapabilities) = (["NET_ADMIN"], ["CHOWN"]) }
        $0.linux.securityContext.seccomp.profileType = .runtimeDefault
      }
      let said = try await eventually("it has said all") {
        let log = try await node.log(id, of: pod)
        return log.hasSuffix("\ndone\n") ? String(log.dropLast(5)) : nil
      }
      #expect(said.hasPrefix("/not/in/the/image\nHOSTNAME=web-1\n"), "\(said)")
      #expect(
        said.contains("\nWHO=me\nuid=1234 gid=55 groups=") && said.contains("\nNoNewPrivs:\t1\n") && said.contains("\nSeccomp:\t2\n"),
        "\(said)")
      let beside = try await node.exec(id, ["sh", "-c", script])
      #expect(text(beside.stdout) == said, "\(text(beside.stderr))")
    }
  }

  @Test func `a directory to work in is made where the image has none, in a user namespace too`() async throws {
    try await Node.with { node in
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      try await node.importBusybox()
      let range = Runtime_V1_IDMapping.with { ($0.containerID, $0.hostID, $0.length) = (0, 1_000_000, 65536) }
      let mapped = try await node.run(
        try node.podConfig("mapped") {
          $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
        })
      for pod in [try await node.run(try node.podConfig("plain")), mapped] {
        #expect(try await node.output("pwd; stat -c %u .; touch file && ls", in: pod) { $0.workingDir = "/a/b" } == "/a/b\n0\nfile\n")
      }
    }
  }

  @Test func `the deprecated names of seccomp profiles mean what they meant`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let profile = #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}"#
      try Files.write(profile, to: node.scratch + "/p.json", mode: 0o644)
      let pod = try await node.run(try node.podConfig("names") { $0.linux.securityContext.namespaceOptions.network = .node })
      let script = "grep ^Seccomp: /proc/self/status; mkdir /x 2>/dev/null && echo made || echo refused"
      for (name, answer) in [
        ("localhost/" + node.scratch + "/p.json", "Seccomp:\t2\nrefused\n"), ("runtime/default", "Seccomp:\t2\nmade\n"),
        ("docker/default", "Seccomp:\t2\nmade\n"), ("unconfined", "Seccomp:\t0\nmade\n"), ("", "Seccomp:\t0\nmade\n"),
      ] {
        #expect(try await node.output(script, in: pod) { $0.linux.securityContext.seccompProfilePath = name } == answer, "\(name)")
      }
    }
  }
}
