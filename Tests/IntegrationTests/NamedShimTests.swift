import CRIAPI
import Core
import FoundationEssentials
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Pods of a handler that names another's shim by `runtime_type`, as a kubelet sees them: containerd's own shim of Debian stands for those that boot machines.
@Suite(.serialized, .enabled(if: (try? Programs.path("berth-runtime")) != nil), .timeLimit(.minutes(5))) struct NamedShimTests {
  private static let shim = "/usr/bin/containerd-shim-runc-v2"
  static let settings = "[runtimes.guest]\nruntime_type = \"io.containerd.runc.v2\"\n"

  private func on(_ more: String = "", _ body: (Node) async throws -> Void) async throws {
    try await Node.with(settings: Self.settings + more) { node in
      try await node.importBusybox()
      try await body(node)
      for pod in try await node.pods() { try await node.remove(pod: pod.id) }
      let left = try shims(of: node)
      #expect(left.isEmpty)
    }
  }

  private func shims(of node: Node) throws -> [Int32] {
    ProcessTable.all().filter { process in
      ProcessTable.commandLine(process).map { $0.contains("containerd-shim-runc-v2") && $0.contains(node.state) } == true
    }
  }

  private func stats(_ node: Node, _ container: String) async throws -> Runtime_V1_ContainerStats {
    try await node.runtime(
      "ContainerStats", Runtime_V1_ContainerStatsRequest.with { $0.containerID = container },
      returning: Runtime_V1_ContainerStatsResponse.self
    ).stats
  }

  @Test func `a pod lives from its sandbox to its removal in one shim`() async throws {
    try await on { node in
      let pod = try await node.run(try node.podConfig("guest"), "guest")
      #expect(try shims(of: node).count == 1)
      #expect(try await node.status(pod: pod).state == .sandboxReady)
      #expect(try await node.infraID(of: pod) > 0)
      let id = try await node.launch("main", ["sh", "-c", "echo hello; sleep 1000"], in: pod)
      #expect(try shims(of: node).count == 1)
      try await eventually("it has said something") { try await node.log(id, of: pod) == "hello\n" ? true : nil }
      #expect(try await node.exec(id, ["sh", "-c", "echo $HOSTNAME; exit 5"]).exitCode == 5)
      #expect(try await node.containers().map(\.id) == [id])
      try await node.restart()
      #expect(try await node.status(pod: pod).state == .sandboxReady)
      let said = try await node.exec(id, ["hostname"]).stdout
      #expect(String(decoding: Array(said), as: UTF8.self) == "guest\n")
      try await node.stop(container: id, timeout: 0)
      #expect(try await node.status(container: id).exitCode == 137)
      #expect(try await node.output("exit 0", in: pod) == "")
      try await node.stop(pod: pod)
      #expect(try shims(of: node).isEmpty)
    }
  }

  @Test func `what is in a machine tells its figures by its shim, and is updated by it`() async throws {
    try await on("is_vm = true\n") { node in
      let pod = try await node.run(try node.podConfig("figures"), "guest")
      let id = try await node.launch("main", ["sh", "-c", "while :; do :; done"], in: pod) {
        $0.linux.resources.memoryLimitInBytes = 64 << 20
      }
      let figures = try await eventually("it has used some") {
        let stats = try await stats(node, id)
        return stats.cpu.usageCoreNanoSeconds.value > 50_000_000 ? stats : nil
      }
      #expect(figures.memory.usageBytes.value > 0 && figures.memory.workingSetBytes.value > 0, "\(figures)")
      #expect(figures.memory.availableBytes.value <= 64 << 20 && figures.memory.availableBytes.value > 0, "\(figures)")
      let rate = try await stats(node, id).cpu.usageNanoCores.value
      #expect(rate > 0)
      let update = Runtime_V1_UpdateContainerResourcesRequest.with {
        ($0.containerID, $0.linux.memoryLimitInBytes) = (id, 128 << 20)
      }
      let _: Runtime_V1_UpdateContainerResourcesResponse = try await node.runtime("UpdateContainerResources", update)
      #expect(try await stats(node, id).memory.availableBytes.value > 64 << 20)
      // A shim that does not answer holds nobody up.
      let process = try Pidfd.open(try #require(try shims(of: node).first))
      try process.signal(19)
      let began = ContinuousClock.now
      _ = try await stats(node, id)
      #expect(ContinuousClock.now - began < .seconds(10))
      try process.signal(18)
    }
  }

  @Test func `options of runc's create get there by its shim, and containers run with them`() async throws {
    try await withScratch("runc-options") { folder in
      let program = folder + "/runc"
      try Files.write("#!/bin/sh\necho \"$*\" >>\(folder)/calls\nexec /usr/sbin/runc \"$@\"\n", to: program, mode: 0o755)
      try await on("runtime_config_path = \"\(program)\"\nno_pivot_root = true\nno_new_keyring = true\n") { node in
        let pod = try await node.run(try node.podConfig("options"), "guest")
        #expect(try await node.output("echo fine", in: pod) == "fine\n")
        let calls = String(decoding: try Files.read(folder + "/calls"), as: UTF8.self).split(separator: "\n")
        let creates = calls.filter { $0.contains(" create ") }
        #expect(creates.count == 2, "the pod's own container and one more: \(calls)")
        #expect(creates.allSatisfy { $0.contains("--no-pivot") && $0.contains("--no-new-keyring") }, "\(creates)")
      }
    }
  }

  /// Debian's shim mounts such a thing by a program, which stands here for the guest.
  @Test func `a shim whose guests pull images is told of them, for the pod's own container and the others`() async throws {
    try await withScratch("guest") { folder in
      try Files.write("#!/bin/sh\necho \"$*\" >> \(folder)/told\n", to: folder + "/mount.fuse", mode: 0o755)
      let path = "PATH=\(folder):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
      try await on("runtime_pull_image = true\nmonitor_env = [\"\(path)\"]\n") { node in
        let pod = try await node.run(try node.podConfig("pulling"), "guest")
        #expect(try await node.output("echo here", in: pod) == "here\n")
        let told = String(decoding: try Files.read(folder + "/told"), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        let volumes = told.filter { $0.hasPrefix("io.katacontainers.volume=") }.map { volume in
          Data(base64Encoded: String(volume.drop { $0 != "=" }.dropFirst())).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        #expect(told.contains("nydus-overlayfs"))
        for (kind, image) in [("sandbox", "berth-pause"), ("container", "docker.io/library/busybox:latest")] {
          #expect(
            volumes.contains { $0.contains("\"source\":\"\(image)\"") && $0.contains("cri.container-type\":\"\(kind)\"") }, "\(volumes)")
        }
      }
    }
  }

  enum Death: CaseIterable { case ofInfraContainer, ofForeignShim, ofShim, ofForeignShimMeanwhile }

  @Test(arguments: Death.allCases) func `the pod is not ready when what it lives in has died`(_ death: Death) async throws {
    try await on { node in
      let pod = try await node.run(try node.podConfig("mortal"), "guest")
      let id = try await node.launch("main", ["sleep", "1000"], in: pod)
      let foreign = try Pidfd.open(try #require(try shims(of: node).first))
      switch death {
      case .ofInfraContainer: try Pidfd.open(try await node.infraID(of: pod)).signal(9)
      case .ofForeignShim: try foreign.signal(9)
      case .ofShim: try await node.killShim(of: pod)
      case .ofForeignShimMeanwhile:
        try await node.kill()
        try foreign.signal(9)
        await foreign.ended()
        try await node.start()
      }
      #expect(try await node.ended(id).exitCode == 255)
      try await eventually("the pod is not ready") { try await node.status(pod: pod).state == .sandboxNotready ? true : nil }
    }
  }

  @Test func `a shim that does not start fails the pod, which leaves nothing`() async throws {
    try await withScratch("bad-shim") { folder in
      let shim = folder + "/containerd-shim-bad-v2"
      try Files.write("#!/bin/sh\necho no luck today >&2; exit 3\n", to: shim, mode: 0o755)
      try await on("[runtimes.bad]\nruntime_type = \"vm\"\npath = \"\(shim)\"\n") { node in
        let config = try node.podConfig("unlucky")
        let error = await #expect(throws: GRPCStatus.self) { _ = try await node.run(config, "bad") }
        for word in ["pod default/unlucky", "infra container", shim, "no luck today"] {
          #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
        #expect(try await node.pods().isEmpty)
        #expect(try Files.list(node.state + "/sandboxes").isEmpty)
      }
    }
  }

  @Test func `Status claims nothing for it, and a shim that is missing is told of`() async throws {
    try await on("[runtimes.gone]\nruntime_type = \"io.containerd.no-such.v2\"\n") { node in
      let status = try await node.runtime("Status", Runtime_V1_StatusRequest(), returning: Runtime_V1_StatusResponse.self)
      let guest = try #require(status.runtimeHandlers.first { $0.name == "guest" })
      #expect(!guest.features.userNamespaces && !guest.features.recursiveReadOnlyMounts)
      #expect(!status.runtimeHandlers.contains { $0.name == "gone" })
      #expect(node.daemonLog().contains("containerd-shim-no-such-v2"))
    }
  }

  @Test func `a configuration of the shim that is not there is refused at the start`() async throws {
    try await expectRefusedSettings(Self.settings + "runtime_config_path = \"/no/such\"\n", "runtime_config_path /no/such: is not there")
  }
}
