import CRIAPI
import Core
import FoundationEssentials
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// A retry never hurts.
@Suite(.serialized) struct RetryTests {
  @Test func `the same RunPodSandbox again gives the same sandbox, another config says what differs`() async throws {
    try await Node.with { node in
      let config = try node.podConfig("again")
      async let first = node.run(config)
      async let second = node.run(config)
      let ids = try await [first, second]
      #expect(ids[0] == ids[1])
      #expect(try await node.run(config) == ids[0])
      var other = config
      other.hostname = "else"
      let error = await #expect(throws: GRPCStatus.self) { try await node.run(other) }
      #expect(error?.code == .alreadyExists)
      #expect(error?.message.contains("hostname") == true, "\(error?.message ?? "")")
      #expect(try await node.pods().count == 1)
    }
  }

  @Test func `a client that gives up early finds the sandbox it asked for`() async throws {
    try await Node.with { node in
      let config = try node.podConfig("deadline")
      let request = Runtime_V1_RunPodSandboxRequest.with { $0.config = config }
      let error = await #expect(throws: GRPCStatus.self) {
        try await node.runtime("RunPodSandbox", request, returning: Runtime_V1_RunPodSandboxResponse.self, timeout: .milliseconds(2))
      }
      #expect(error?.code == .deadlineExceeded)
      let id = try await node.run(config)
      #expect(try await node.pods().map(\.id) == [id])
    }
  }

  @Test func `the same CreateContainer and StartContainer again change nothing`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("twice"))
      let config = node.containerConfig("main", ["/bin/sleep", "1000"])
      async let first = node.create(config, in: pod)
      async let second = node.create(config, in: pod)
      let ids = try await [first, second]
      #expect(ids[0] == ids[1])
      for _ in 0..<3 { try await node.start(container: ids[0]) }
      #expect(try await node.containers().count == 1)
      var other = config
      other.command = ["/bin/sleep", "1"]
      let error = await #expect(throws: GRPCStatus.self) { try await node.create(other, in: pod) }
      #expect(error?.code == .alreadyExists)
      #expect(error?.message.contains("command") == true)
    }
  }

  @Test func `a kubelet's retry, of which much differs, gets the container and the sandbox that there are`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let logs = node.scratch + "/containers/main"
      try Files.makeDirectories(logs)
      var pods: [String] = []
      for turn in 0..<3 {
        var config = try node.podConfig("kubelet")
        config.annotations["cni/address"] = "10.0.0.\(turn)"
        config.linux.securityContext.supplementalGroups = turn == 0 ? [1, 2] : [2, 1]
        pods.append(try await node.run(config))
      }
      #expect(Set(pods).count == 1)
      let pod = pods[0]
      let tries = ["0badcafe", "12345678", "ffffffff"]
      for name in tries { try Files.write("", to: "\(logs)/\(name)", mode: 0o666) }
      let ids = try await withThrowingTaskGroup(of: String.self) { group in
        for name in tries { group.addTask { try await node.create(node.kubeletTry(name, logs), in: pod) } }
        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
      }
      let id = try await node.create(node.kubeletTry("00000000", logs), in: pod)
      #expect(ids == [id])
      try await node.start(container: id)
      let status = try await node.ended(id)
      let mounted = try #require(status.mounts.first { $0.containerPath == "/dev/termination-log" }?.hostPath)
      #expect(try Files.read(mounted) == Array("1 2\n".utf8), "ContainerStatus says where the message is")
      var other = node.kubeletTry(tries[0], logs)
      other.envs[0].value = Data("else".utf8)
      let fault = await #expect(throws: GRPCStatus.self) { try await node.create(other, in: pod) }
      #expect(fault?.code == .alreadyExists && fault?.message.hasSuffix("another config: envs differs") == true, "values may be secrets")
    }
  }
}

extension Node {
  /// One of a kubelet's attempts to create the same container: variables of services in any order, a termination log of its own.
  fileprivate func kubeletTry(_ name: String, _ logs: String) -> Runtime_V1_ContainerConfig {
    containerConfig("main", ["sh", "-c", "echo $A $B >/dev/termination-log"]) {
      $0.envs = [("A", "1"), ("B", "2"), ("C", "3")].shuffled().map { entry in
        .with { ($0.key, $0.value) = (entry.0, Data(entry.1.utf8)) }
      }
      $0.mounts = [("\(logs)/\(name)", "/dev/termination-log"), ("/tmp", "/host")].shuffled().map { entry in
        .with { ($0.hostPath, $0.containerPath) = entry }
      }
      $0.annotations["try"] = name
    }
  }
}
