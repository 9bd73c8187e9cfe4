import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// User namespaces that a pod's annotation or the node asks for.
@Suite(.serialized, .timeLimit(.minutes(5))) struct UserNamespaceModeTests {
  private static let annotation = "userns-mode.crio.io"

  /// Room for two pods of 1000 IDs.
  private func withNode(_ settings: String = "", _ body: (Node) async throws -> Void) async throws {
    try await Node.with { node in
      try Files.write("containers:500000:2000\n", to: node.scratch + "/subuid")
      try Files.write("containers:700000:2500\n", to: node.scratch + "/subgid")
      let keys = "[pods]\nsubuid_file = \"\(node.scratch)/subuid\"\nsubgid_file = \"\(node.scratch)/subgid\"\n\(settings)\n"
      let handlers = """
        [runtimes.open]
        inherit_default_runtime = true
        allowed_annotations = ["\(Self.annotation)"]
        [runtimes.apart]
        inherit_default_runtime = true
        default_annotations = { "\(Self.annotation)" = "auto:size=300" }

        """
      let file = node.scratch + "/config.toml"
      try Files.write(String(decoding: try Files.read(file), as: UTF8.self) + keys + handlers, to: file)
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      try await node.restart()
      try await node.importBusybox()
      try await body(node)
    }
  }

  private func config(_ name: String, _ mode: String?, on node: Node, _ change: (inout Runtime_V1_PodSandboxConfig) -> Void = { _ in })
    throws
    -> Runtime_V1_PodSandboxConfig
  {
    try node.podConfig(name) {
      // As kubelets of today say of every pod.
      $0.linux.securityContext.namespaceOptions.usernsOptions.mode = .node
      if let mode { $0.annotations = [Self.annotation: mode] }
      change(&$0)
    }
  }

  private static let tell = "tr -s ' ' < /proc/self/uid_map; echo; tr -s ' ' < /proc/self/gid_map; stat -c %u:%g /etc/passwd /dev/shm"

  @Test func `no two pods have the same host IDs, over a restart too, and they are given back`() async throws {
    try await withNode { node in
      let first = try await node.run(try config("first", "auto:size=1000", on: node), "open")
      let second = try await node.run(try config("second", "auto:size=1000", on: node), "open")
      #expect(try await node.output(Self.tell, in: first) == " 0 500000 1000\n\n 0 700000 1000\n0:0\n0:0\n")
      #expect(try await node.output(Self.tell, in: second) == " 0 501000 1000\n\n 0 701000 1000\n0:0\n0:0\n")
      try await node.restart()
      let third = try config("third", "auto:size=1000", on: node)
      await expectFault(.resourceExhausted, Self.annotation, "1000 IDs are wanted, and 0 of the 2000") {
        _ = try await node.run(third, "open")
      }
      try await node.stop(pod: first)
      await expectFault(.resourceExhausted, Self.annotation) { _ = try await node.run(third, "open") }
      try await node.remove(pod: first)
      let pod = try await node.run(third, "open")
      #expect(try await node.output(Self.tell, in: pod).hasPrefix(" 0 500000 1000\n"))
      #expect(try await node.output(Self.tell, in: second).hasPrefix(" 0 501000 1000\n"))
    }
  }

  @Test func `pods that start at once do not get the same IDs`() async throws {
    try await withNode { node in
      let pods = try await withThrowingTaskGroup(of: String.self) { group in
        for index in 0..<8 {
          let config = try config("many\(index)", "auto:size=250", on: node)
          group.addTask { try await node.run(config, "open") }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      var maps: Set<String> = []
      for pod in pods { maps.insert(String(decoding: try Files.read("/proc/\(try await node.holderID(of: pod))/uid_map"), as: UTF8.self)) }
      #expect(maps.count == 8, "\(maps)")
    }
  }

  @Test func `the pod's user is somebody else, itself or root outside, as the mode has it`() async throws {
    try await withNode { node in
      let user: (inout Runtime_V1_PodSandboxConfig) -> Void = {
        $0.linux.securityContext.runAsUser.value = 1234
        $0.linux.securityContext.runAsGroup.value = 1234
      }
      for (mode, inside, outside) in [
        ("auto:size=200", 1234, 500_200), ("auto:size=200;keep-id=true", 1234, 1234), ("auto:size=200;map-to-root=true", 0, 1234),
      ] as [(String, Int64, UInt32)] {
        let pod = try await node.run(try config("pod\(outside)\(inside)", mode, on: node, user), "open")
        let id = try await node.launch("sleeper", ["sleep", "1000"], in: pod) {
          $0.linux.securityContext.runAsUser.value = inside
          $0.linux.securityContext.runAsGroup.value = inside
        }
        let process = try #require(try await node.processes(in: pod).first)
        #expect(try Files.owner("/proc/\(process)").user == outside, "\(mode)")
        #expect(String(decoding: try await node.exec(id, ["id", "-u"]).stdout, as: UTF8.self) == "\(inside)\n")
        try await node.remove(pod: pod)
      }
      await expectFault(.invalidArgument, Self.annotation, "exclude each other") {
        _ = try await node.run(try config("both", "auto:keep-id=true;map-to-root=true", on: node, user), "open")
      }
    }
  }

  @Test func `a pod whose handler does not allow it, and one with a field of its own, are not asked`() async throws {
    try await withNode { node in
      let closed = try await node.run(try config("closed", "auto", on: node))
      #expect(try await node.output("tr -s ' ' < /proc/self/uid_map", in: closed) == " 0 0 4294967295\n")
      #expect(node.daemonLog().contains("annotation \(Self.annotation) is ignored"))
      let own: (inout Runtime_V1_PodSandboxConfig) -> Void = {
        let ranges = [Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (900_000, 1000) }]
        $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, ranges, ranges) }
      }
      let pod = try await node.run(try config("own", "auto:size=500", on: node, own), "open")
      #expect(try await node.output(Self.tell, in: pod).hasPrefix(" 0 900000 1000\n"))
      await expectFault(.invalidArgument, Self.annotation, "mode POD") {
        _ = try await node.run(try config("torn", "auto:keep-id=true", on: node, own), "open")
      }
    }
  }

  @Test func `a handler's default is its pods' annotation, and they cannot say otherwise without leave`() async throws {
    try await withNode { node in
      let plain = try await node.run(try config("plain", nil, on: node), "apart")
      #expect(try await node.output(Self.tell, in: plain).hasPrefix(" 0 500000 300\n"))
      let other = try await node.run(try config("other", "host", on: node), "apart")
      #expect(try await node.output(Self.tell, in: other).hasPrefix(" 0 500300 300\n"))
    }
  }

  @Test func `the node's mappings are for pods that say nothing and share nothing with the host`() async throws {
    try await withNode("uid_mappings = \"0:600000:1000,1000:800000:100\"\ngid_mappings = \"0:650000:1100\"") { node in
      let plain = try await node.run(try config("plain", nil, on: node))
      #expect(try await node.output(Self.tell, in: plain) == " 0 600000 1000\n 1000 800000 100\n\n 0 650000 1100\n0:0\n0:0\n")
      let onHost = try await node.run(try config("host", nil, on: node) { $0.linux.securityContext.namespaceOptions.network = .node })
      #expect(try await node.output("tr -s ' ' < /proc/self/uid_map", in: onHost) == " 0 0 4294967295\n")
      let out = try await node.run(try config("out", "host", on: node), "open")
      #expect(try await node.output("tr -s ' ' < /proc/self/uid_map", in: out) == " 0 0 4294967295\n")
      let auto = try await node.run(try config("auto", "auto:size=100", on: node), "open")
      #expect(try await node.output(Self.tell, in: auto).hasPrefix(" 0 500000 100\n"))
    }
  }
}
