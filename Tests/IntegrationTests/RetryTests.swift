import CRIAPI
import Core
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
}
