import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Pods with a container that stands for them (`infra_container`), by each runtime.
@Suite(.serialized, .timeLimit(.minutes(5))) struct InfraContainerTests {
  private static let wanted = "infra_container = true\n"

  private func on(_ runtime: String, _ more: String = "", _ body: (Node) async throws -> Void) async throws {
    try await Node.with(runtime: runtime, settings: Self.wanted + more) { node in
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      try await node.importBusybox()
      try await body(node)
    }
  }

  private func spec(_ node: Node, _ pod: String) throws -> String {
    String(decoding: try Files.read("\(node.state)/sandboxes/\(pod)/infra/config.json"), as: UTF8.self).replacing("\\/", with: "/")
  }

  private func status(_ process: Int32, _ field: String) throws -> String {
    let lines = String(decoding: try Files.read("/proc/\(process)/status"), as: UTF8.self).split(separator: "\n")
    return lines.first { $0.hasPrefix(field + ":") }.map { String($0.dropFirst(field.count + 1).trimmed) } ?? ""
  }

  private func namespace(_ process: Int32, _ name: String) throws -> String { try Files.readLink("/proc/\(process)/ns/\(name)") }

  @Test(arguments: RuntimeSuiteTests.runtimes) func `it is in the pod's namespaces, and can do nothing`(_ runtime: String) async throws {
    try await on(runtime) { node in
      let pod = try await node.run(try node.podConfig("infra") { $0.linux.sysctls = ["net.ipv4.ip_unprivileged_port_start": "700"] })
      let process = try await node.infraID(of: pod)
      let holder = try await node.holderID(of: pod)
      for name in ["net", "ipc", "uts", "pid"] { #expect(try namespace(process, name) == namespace(holder, name), "\(name)") }
      #expect(try status(process, "Uid").hasPrefix("65535") && status(process, "CapEff") == "0000000000000000")
      #expect(try status(process, "NoNewPrivs") == "1")
      // Where crun runs, the state directory is mounted for it alone.
      for part in runtime == "crun"
        ? []
        : [
          #""io.kubernetes.cri.container-type":"sandbox""#, #""io.kubernetes.cri-o.ContainerType":"sandbox""#, #""hostname":"infra""#,
          #""net.ipv4.ip_unprivileged_port_start":"700""#, #""shares":2"#, #""oomScoreAdj":"#,
        ]
      { #expect(try spec(node, pod).contains(part), "\(part)") }
      #expect(try await node.output("hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start", in: pod) == "infra\n700\n")
    }
  }

  @Test(arguments: RuntimeSuiteTests.runtimes) func `nobody is told of it but in the pod's own figures`(_ runtime: String) async throws {
    try await on(runtime) { node in
      let pod = try await node.run(try node.podConfig("hidden"))
      let id = try await node.launch("main", ["sleep", "1000"], in: pod)
      #expect(try await node.containers().map(\.id) == [id])
      await expectFault(.notFound, pod) { _ = try await node.status(container: pod) }
      let listed = try await node.runtime(
        "ListContainerStats", Runtime_V1_ListContainerStatsRequest(), returning: Runtime_V1_ListContainerStatsResponse.self)
      #expect(listed.stats.map(\.attributes.id) == [id])
      let request = Runtime_V1_PodSandboxStatsRequest.with { $0.podSandboxID = pod }
      let stats = try await node.runtime("PodSandboxStats", request, returning: Runtime_V1_PodSandboxStatsResponse.self).stats
      #expect(stats.linux.containers.map(\.attributes.id) == [id])
      // Shim, holder, the infra container and the container; beside them another's shim and who stands for what it runs.
      let count = stats.linux.process.processCount.value
      #expect([Node.foreign, Node.streamed].contains(runtime) ? count > 4 : count == 4, "\(stats.linux.process)")
      try await node.remove(container: id)
      #expect(try await node.status(pod: pod).state == .sandboxReady)
      try await node.stop(pod: pod)
      #expect(try node.infraProcesses(of: pod).isEmpty)
      try await node.remove(pod: pod)
    }
  }

  @Test(arguments: RuntimeSuiteTests.runtimes) func `the pod ends with it, and its containers too`(_ runtime: String) async throws {
    try await on(runtime) { node in
      let pod = try await node.run(try node.podConfig("mortal"))
      let id = try await node.launch("main", ["sleep", "1000"], in: pod)
      try Pidfd.open(try await node.infraID(of: pod)).signal(9)
      let ended = try await node.ended(id)
      #expect(ended.exitCode == 255 && ended.reason == "ShimDied" && ended.message.contains("infra container ended"), "\(ended)")
      try await eventually("the pod is not ready") { try await node.status(pod: pod).state == .sandboxNotready ? true : nil }
      try await node.remove(pod: pod)
    }
  }

  enum Death: String, CaseIterable {
    case ofDaemon, ofInfraContainerMeanwhile, ofShim, ofShimMeanwhile, ofEpoch
  }

  @Test(arguments: Death.allCases) func `a restart finds it again, or leaves nothing of it`(_ death: Death) async throws {
    try await on("runc") { node in
      let pod = try await node.run(try node.podConfig("survivor"))
      let id = try await node.launch("main", ["sleep", "1000"], in: pod)
      let infra = try await node.infraID(of: pod)
      switch death {
      case .ofDaemon: try await node.restart()
      case .ofInfraContainerMeanwhile:
        try await node.kill()
        try Pidfd.open(infra).signal(9)
        try await node.start()
      case .ofShim: try await node.killShim(of: pod)
      case .ofShimMeanwhile:
        try await node.kill()
        try await node.killShim(of: pod)
        try await node.start()
      case .ofEpoch:
        try await node.untilDurable(id)
        try await node.kill()
        let shim = try Pidfd.open(node.shimID(of: pod))
        for process in [try Pidfd.open(infra), shim] { try process.signal(9) }
        await shim.ended()
        // Which a boot does not leave.
        let netns = try #require(try spec(node, pod).firstMatch(of: #/\/run\/netns\/berth-[0-9a-f-]+/#))
        try Mounts.unmountIfMounted(String(netns.0))
        try Files.remove(String(netns.0))
        try Mounts.unmountAll(below: node.state)
        try Files.write("another boot\n", to: node.state + "/epoch")
        try await node.start()
      }
      if death == .ofDaemon {
        #expect(try await node.exec(id, ["true"]).exitCode == 0)
        #expect(try await node.status(pod: pod).state == .sandboxReady)
        #expect(try await node.infraID(of: pod) == infra)
        try Pidfd.open(infra).signal(9)
      }
      _ = try await node.ended(id)
      try await eventually("the pod is not ready") { try await node.status(pod: pod).state == .sandboxNotready ? true : nil }
    }
  }

  @Test(arguments: RuntimeSuiteTests.runtimes) func `any kind of pod can have one`(_ runtime: String) async throws {
    let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (400_000, 65536) }
    let kinds: [(String, (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void)] = [
      ("hostnet", { $0.namespaceOptions.network = .node }), ("hostpid", { $0.namespaceOptions.pid = .node }),
      ("ownpid", { $0.namespaceOptions.pid = .container }), ("hostipc", { $0.namespaceOptions.ipc = .node }),
      ("userns", { $0.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) } }),
      ("privileged", { ($0.privileged, $0.namespaceOptions.network) = (true, .node) }),
      ("default", { ($0.seccomp.profileType, $0.runAsUser.value) = (.runtimeDefault, 1234) }),
    ]
    try await on(runtime) { node in
      for (name, change) in kinds {
        let pod = try await node.run(
          try node.podConfig(name) {
            if name == "hostnet" || name == "privileged" { $0.hostname = "" }
            change(&$0.linux.securityContext)
          })
        let infra = try await node.infraID(of: pod)
        if name == "userns" { #expect(try status(infra, "Uid").hasPrefix("400000")) }
        if name == "default" { #expect(try status(infra, "Uid").hasPrefix("1234") && status(infra, "Seccomp") == "2") }
        try await node.remove(pod: pod)
      }
    }
  }

  @Test(arguments: ["create", "start"]) func `a start that fails names the stage and leaves nothing`(_ verb: String) async throws {
    try await withScratch("standin") { folder in
      let trouble = #"printf '{"level":"error","msg":"no luck today"}' >>$log; exit 1"#
      let program = try Self.standIn(folder, "case \"$*\" in *' \(verb) '*) \(trouble);; esac")
      try await Node.with(settings: "[runtimes.odd]\npath = \"\(program)\"\n" + Self.wanted) { node in
        let config = try node.podConfig("unlucky")
        let error = await #expect(throws: GRPCStatus.self) { _ = try await node.run(config, "odd") }
        for word in ["pod default/unlucky", "infra container", "no luck today"] {
          #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
        #expect(try await node.pods().isEmpty)
        #expect(try Files.list(node.state + "/sandboxes").isEmpty)
      }
    }
  }

  @Test(arguments: ["create", "start"]) func `a daemon killed while it is made leaves nothing`(_ verb: String) async throws {
    try await withScratch("standin") { folder in
      let script = "case \"$*\" in *' \(verb) '*) [ -e \(folder)/slow ] && { touch \(folder)/there; sleep 2; };; esac"
      let program = try Self.standIn(folder, script)
      try Files.write("", to: folder + "/slow")
      try await Node.with(settings: "[runtimes.odd]\npath = \"\(program)\"\n" + Self.wanted) { node in
        let config = try node.podConfig("halved")
        let call = Task { try await node.run(config, "odd") }
        try await eventually("the runtime is at work") { Files.exists(folder + "/there") ? true : nil }
        try await node.kill()
        _ = await call.result
        try Files.remove(folder + "/slow")
        try await node.start()
        let pod = try await eventually("the pod can be made again", within: 30) { try? await node.run(config, "odd") }
        #expect(try await node.pods().map(\.id) == [pod])
        #expect(try Files.list(node.state + "/sandboxes") == [pod])
      }
    }
  }

  /// A runtime that does `script` before runc's work; `$log` is the file it was given for its log.
  private static func standIn(_ folder: String, _ script: String) throws -> String {
    let text = """
      #!/bin/sh
      log=$(echo "$*" | sed 's/.*--log \\([^ ]*\\) .*/\\1/')
      \(script)
      exec /usr/sbin/runc "$@"

      """
    try Files.write(text, to: folder + "/odd-runc", mode: 0o755)
    return folder + "/odd-runc"
  }
}

extension Node {
  /// The process of a pod's infra container, as soon as it is what it will be.
  func infraID(of pod: String) async throws -> Int32 {
    try await eventually("pod \(pod) has an infra container") {
      try infraProcesses(of: pod).first { ProcessTable.commandLine($0)?.hasPrefix("/pause") == true }
    }
  }

  func infraProcesses(of pod: String) throws -> [Int32] { CgroupReader(try CgroupTree.detect()).processIDs(Self.cgroup(of: pod)) }

  /// Until a record can be read on the disk, where it comes a moment after the call was answered: a boot leaves nothing else of it.
  func untilDurable(_ id: String) async throws {
    let files = ["metadata.db", "metadata.db-wal"].map { "\(root)/\($0)" }
    try await eventually("record \(id) is durable") {
      files.contains { String(decoding: (try? Files.read($0)) ?? [], as: UTF8.self).contains(id) } ? true : nil
    }
  }
}
