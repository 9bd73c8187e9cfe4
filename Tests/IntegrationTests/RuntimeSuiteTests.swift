import CRIAPI
import Core
import FoundationEssentials
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

@testable import Streaming

/// One suite for every OCI runtime that Berth is meant to work with: each test runs real containers by each of them.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RuntimeSuiteTests {
  static let runtimes = ["runc", "crun", Node.foreign, Node.streamed]

  private func on(_ runtime: String, _ body: (Node, String) async throws -> Void) async throws {
    try await Node.with(runtime: runtime) { node in
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      try await node.importBusybox()
      try await body(node, try await node.run(try node.podConfig("suite-" + runtime)))
    }
  }

  private func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

  @Test(arguments: runtimes) func `containers run, log, end, are stopped and removed`(_ runtime: String) async throws {
    try await on(runtime) { node, pod in
      let id = try await node.launch("main", ["sh", "-c", "echo out; echo err >&2; exit 7"], in: pod)
      let ended = try await node.ended(id)
      #expect(ended.exitCode == 7 && ended.reason == "Error")
      #expect(try await node.log(id, of: pod).split(separator: "\n").sorted() == ["err", "out"])
      let polite = try await node.launch("polite", ["sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"], in: pod)
      try await eventually("the trap is set") { try await node.log(polite, of: pod) == "ready\n" ? true : nil }
      try await node.stop(container: polite)
      #expect(try await node.status(container: polite).exitCode == 3)
      let stubborn = try await node.launch("stubborn", ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"], in: pod)
      try await eventually("the signal is ignored") { try await node.log(stubborn, of: pod) == "ready\n" ? true : nil }
      try await node.stop(container: stubborn, timeout: 1)
      #expect(try await node.status(container: stubborn).exitCode == 137)
      let usr1 = try await node.launch("usr1", ["sh", "-c", "trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done"], in: pod) {
        $0.stopSignal = .sigusr1
      }
      try await eventually("the trap is set") { try await node.log(usr1, of: pod) == "ready\n" ? true : nil }
      try await node.stop(container: usr1)
      #expect(try await node.status(container: usr1).exitCode == 5)
      for id in [id, polite, stubborn, usr1] { try await node.remove(container: id) }
      #expect(try await node.containers().isEmpty)
    }
  }

  @Test(arguments: runtimes) func `a privileged container can write to /sys, whoever was there before`(_ runtime: String) async throws {
    try await on(runtime) { node, _ in
      let pod = try await node.run(try node.podConfig("privileged") { $0.linux.securityContext.privileged = true })
      func answer(_ name: String, privileged: Bool) async throws -> Int32 {
        let id = try await node.launch(name, ["sleep", "1000"], in: pod) { $0.linux.securityContext.privileged = privileged }
        // Of the pod's own network, and as it was.
        return try await node.exec(id, ["sh", "-c", "cat /sys/class/net/lo/tx_queue_len > /sys/class/net/lo/tx_queue_len"]).exitCode
      }
      #expect(try await answer("first", privileged: false) != 0)
      #expect(try await answer("driver", privileged: true) == 0)
      #expect(try await answer("last", privileged: false) != 0)
    }
  }

  @Test(arguments: runtimes) func `a command that is not there is a StartError, and the pod goes on`(_ runtime: String) async throws {
    try await on(runtime) { node, pod in
      for (number, program) in ["/no/such", "no-such", "/etc"].enumerated() {
        let id = try await node.create(node.containerConfig("broken\(number)", [program]), in: pod)
        let error = await #expect(throws: GRPCStatus.self) { try await node.start(container: id) }
        #expect(error?.message.contains("command[0] \(program): ") == true, "\(error.map { "\($0)" } ?? "")")
        let status = try await node.status(container: id)
        #expect(status.state == .containerExited && status.exitCode == 128 && status.reason == "StartError", "\(status)")
      }
      #expect(try await node.output("echo fine", in: pod) == "fine\n")
    }
  }

  @Test(arguments: runtimes) func `execs run beside the container, with streams, a terminal, or a deadline`(_ runtime: String) async throws
  {
    try await on(runtime) { node, pod in
      let id = try await node.launch("main", ["sleep", "1000"], in: pod) {
        $0.linux.resources.oomScoreAdj = 100
        $0.linux.securityContext.runAsUser.value = 1234
        $0.envs = [.with { ($0.key, $0.value) = ("WHO", .init("me".utf8)) }]
      }
      let said = try await node.exec(id, ["sh", "-c", "id -u; echo $WHO; cat /proc/self/oom_score_adj; echo x >/dev/stderr; exit 9"])
      #expect(text(said.stdout) == "1234\nme\n100\n" && text(said.stderr) == "x\n" && said.exitCode == 9, "\(said)")
      await expectFault(.deadlineExceeded, "1 s") { _ = try await node.exec(id, ["sleep", "500"], timeout: 1) }
      let failed = await #expect(throws: GRPCStatus.self) { _ = try await node.exec(id, ["/no/such"]) }
      #expect(failed?.message.contains("/no/such") == true, "\(failed.map { "\($0)" } ?? "")")
      let terminal = Runtime_V1_ExecRequest.with {
        ($0.containerID, $0.cmd, $0.stdin, $0.stdout, $0.tty) = (
          id, ["sh", "-c", "tty; read line; echo got $line; exit 4"], true, true, true
        )
      }
      let url = try await node.runtime("Exec", terminal, returning: Runtime_V1_ExecResponse.self).url
      let client = try await CommandClient.start(url, ["stdin", "stdout", "resize"])
      try await client.send("word\n")
      let status = try await client.finish()
      #expect(status.contains("\"message\":\"4\""), "\(status)")
      #expect(client.text("stdout").contains("/dev/pts/") && client.text("stdout").contains("got word"), "\(client.text("stdout"))")
      let left = try await node.exec(id, ["ps"])
      #expect(!text(left.stdout).contains("sleep 500"))
    }
  }

  @Test(arguments: runtimes) func `attach feeds a container, with and without a terminal`(_ runtime: String) async throws {
    try await on(runtime) { node, pod in
      for hasTerminal in [false, true] {
        let id = try await node.launch("tty-\(hasTerminal)", ["sh", "-c", "read line; echo got $line; exit 6"], in: pod) {
          ($0.stdin, $0.tty) = (true, hasTerminal)
        }
        let request = Runtime_V1_AttachRequest.with {
          ($0.containerID, $0.stdin, $0.stdout, $0.stderr, $0.tty) = (id, true, true, !hasTerminal, hasTerminal)
        }
        let url = try await node.runtime("Attach", request, returning: Runtime_V1_AttachResponse.self).url
        let client = try await CommandClient.start(url, hasTerminal ? ["stdin", "stdout", "resize"] : ["stdin", "stdout", "stderr"])
        try await client.send("word\n")
        try await client.spdy.receive { client.text("stdout").contains("got word") }
        try await client.spdy.wire.close()
        #expect(try await node.ended(id).exitCode == 6)
        #expect(try await node.log(id, of: pod).contains("got word"))
      }
    }
  }

  @Test(arguments: runtimes) func `a pod has its user namespace, and who is not root there its streams`(_ runtime: String) async throws {
    try await on(runtime) { node, _ in
      let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (400_000, 65536) }
      let pod = try await node.run(
        try node.podConfig("userns") {
          $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
        })
      let script = "id -u; stat -c %u /etc/passwd; tr -s ' ' </proc/self/uid_map; echo err >/dev/stderr; echo out >/proc/self/fd/1"
      let user: (inout Runtime_V1_ContainerConfig) -> Void = { $0.linux.securityContext.runAsUser.value = 1000 }
      let said = try await node.output(script, in: pod, user)
      for line in ["1000\n", "0\n", " 0 400000 65536\n", "err\n", "out\n"] { #expect(said.contains(line), "\(said)") }
      let id = try await node.launch("main", ["sleep", "1000"], in: pod, user)
      let exec = try await node.exec(id, ["sh", "-c", script])
      #expect(exec.exitCode == 0 && text(exec.stdout).hasSuffix("out\n") && text(exec.stderr) == "err\n", "\(exec)")
    }
  }

  @Test(arguments: runtimes) func `filters, capabilities, groups and read-only roots hold`(_ runtime: String) async throws {
    try await on(runtime) { node, pod in
      let profile = node.scratch + "/seccomp.json"
      try Files.write(
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}"#,
        to: profile)
      let script = """
        mkdir /tmp/x 2>/dev/null || echo no-mkdir; touch /x 2>/dev/null || echo read-only; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status
        id -G; grep -q ' /data .*nodev.*noexec' /proc/self/mountinfo || grep ' /data ' /proc/self/mountinfo; cat /proc/acpi/* /etc/group 2>/dev/null | wc -c
        """
      let said = try await node.output(script, in: pod) {
        $0.linux.securityContext = .with {
          $0.readonlyRootfs = true
          $0.noNewPrivs = true
          $0.supplementalGroups = [4242]
          $0.capabilities.dropCapabilities = ["ALL"]
          $0.capabilities.addCapabilities = ["NET_BIND_SERVICE"]
          $0.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, profile) }
          $0.maskedPaths = ["/proc/acpi", "/etc/group", "/no/such"]
        }
        $0.mounts = [
          .with { ($0.containerPath, $0.hostPath, $0.readonly, $0.mountOptions) = ("/data", node.scratch, true, ["nodev", "noexec"]) },
          .with { ($0.containerPath, $0.hostPath) = ("/tmp", node.scratch) },
        ]
      }
      for line in ["no-mkdir\n", "read-only\n", "CapEff:\t0000000000000400\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n", " 4242"] {
        #expect(said.contains(line), "\(line) is not in \(said)")
      }
      #expect(!said.contains(" /data ") && said.hasSuffix("0\n"), "\(said)")
    }
  }

  @Test(arguments: runtimes) func `limits are set, change, and count what is used`(_ runtime: String) async throws {
    try await on(runtime) { node, pod in
      let id = try await node.launch("main", ["sh", "-c", "while :; do :; done"], in: pod) {
        ($0.linux.resources.memoryLimitInBytes, $0.linux.resources.cpuShares) = (64 << 20, 128)
        ($0.linux.resources.cpuPeriod, $0.linux.resources.cpuQuota) = (50_000, 25_000)
      }
      let (reader, path) = (CgroupReader(try CgroupTree.detect()), Node.cgroup(of: id))
      #expect(reader.memoryCounters(path)?.limit == 64 << 20)
      let update = Runtime_V1_UpdateContainerResourcesRequest.with {
        $0.containerID = id
        ($0.linux.memoryLimitInBytes, $0.linux.oomScoreAdj, $0.linux.cpuQuota) = (128 << 20, 300, 10_000)
      }
      _ = try await node.runtime("UpdateContainerResources", update, returning: Runtime_V1_UpdateContainerResourcesResponse.self)
      #expect(reader.memoryCounters(path)?.limit == 128 << 20)
      let score = try await node.exec(id, ["sh", "-c", "sleep 0.2; cat /proc/$$/oom_score_adj /proc/self/oom_score_adj"])
      #expect(text(score.stdout) == "300\n300\n", "\(score)")
      let stats = try await eventually("processor time is counted") {
        let stats = try await node.runtime(
          "ContainerStats", Runtime_V1_ContainerStatsRequest.with { $0.containerID = id }, returning: Runtime_V1_ContainerStatsResponse.self
        ).stats
        return stats.cpu.usageCoreNanoSeconds.value > 20_000_000 ? stats : nil
      }
      #expect(stats.memory.workingSetBytes.value > 0 && stats.memory.availableBytes.value > 0)
      try await node.stop(container: id, timeout: 0)
      let glutton = try await node.launch("glutton", ["sh", "-c", "x=x; while :; do x=$x$x; done"], in: pod) {
        $0.linux.resources.memoryLimitInBytes = 16 << 20
      }
      let killed = try await node.ended(glutton)
      #expect(killed.reason == "OOMKilled" && killed.exitCode == 137, "\(killed)")
    }
  }

  @Test(arguments: runtimes) func `one PID namespace for the pod, or another container's, or the host's`(_ runtime: String) async throws {
    try await on(runtime) { node, pod in
      let shared = try await node.run(try node.podConfig("shared") { $0.linux.securityContext.namespaceOptions.pid = .pod })
      let first = try await node.launch("first", ["sleep", "777"], in: shared) { $0.linux.securityContext.namespaceOptions.pid = .pod }
      #expect(try await node.output("ps", in: shared) { $0.linux.securityContext.namespaceOptions.pid = .pod }.contains("sleep 777"))
      #expect(try await !node.output("ps", in: shared) { $0.linux.securityContext.namespaceOptions.pid = .container }.contains("sleep 777"))
      let target = try await node.launch("target", ["sleep", "888"], in: pod) { $0.linux.securityContext.namespaceOptions.pid = .container }
      let seen = try await node.output("ps", in: pod) {
        ($0.linux.securityContext.namespaceOptions.pid, $0.linux.securityContext.namespaceOptions.targetID) = (.target, target)
      }
      #expect(seen.contains("sleep 888") && !seen.contains("sleep 777"), "\(seen)")
      try await node.stop(container: first, timeout: 0)
    }
  }

  @Test func `two handlers live beside each other, each with settings of its own`() async throws {
    let settings = "[runtimes.crun]\ncni_conf_dir = \"/nonexistent-cni\"\ncontainer_min_memory = 4194304\n"
    try await CrunRealm.with { launcher in
      try await Node.with(settings: settings, launcher: launcher) { node in
        try await node.importBusybox()
        await expectFault(.failedPrecondition, "/nonexistent-cni") { _ = try await node.run(try node.podConfig("no-network"), "crun") }
        let host = try node.podConfig("host") { $0.linux.securityContext.namespaceOptions.network = .node }
        let pods = [try await node.run(try node.podConfig("usual")), try await node.run(host, "crun")]
        for pod in pods { #expect(try await node.output("echo $((6*7))", in: pod) == "42\n") }
        await expectFault(.invalidArgument, "memory_limit_in_bytes", "4194304") {
          _ = try await node.output("true", in: pods[1]) { $0.linux.resources.memoryLimitInBytes = 1 << 20 }
        }
        #expect(try await node.status(pod: pods[1]).runtimeHandler == "crun")
        await expectFault(.invalidArgument, "kata") { _ = try await node.run(try node.podConfig("x"), "kata") }
      }
    }
  }
}
