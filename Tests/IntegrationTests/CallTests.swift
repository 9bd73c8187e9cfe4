import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// What holds for every call.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CallTests {
  @Test func `messages may be as large as the node says, and one that is larger says so`() async throws {
    try await Node.with(settings: "[grpc]\nmax_recv_message_size = 65536\nmax_send_message_size = 131072\n") { node in
      let small = try node.podConfig("small") { $0.annotations = ["filler": String(repeating: "x", count: 40_000)] }
      _ = try await node.run(small)
      await expectFault(.resourceExhausted, "65536") {
        _ = try await node.run(try node.podConfig("large") { $0.annotations = ["filler": String(repeating: "x", count: 70_000)] })
      }
      for number in 0..<3 {
        _ = try await node.run(
          try node.podConfig("more\(number)") {
            $0.annotations = small.annotations
            $0.linux.securityContext.namespaceOptions.network = .node
          })
      }
      await expectFault(.resourceExhausted, "131072") { _ = try await node.pods() }
      for pod in try await node.streamedPods() { try await node.remove(pod: pod) }
      #expect(try await node.pods().isEmpty)
    }
  }

  @Test func `what is not served yet says so`() async throws {
    try await Node.with { node in
      for method in ["CheckpointContainer", "CheckpointPod", "RestorePod"] {
        await expectFault(.unimplemented, method) {
          _ = try await node.runtime(method, Runtime_V1_VersionRequest(), returning: Runtime_V1_VersionResponse.self)
        }
      }
    }
  }

  @Test func `each call is in the log once, by its method and code, and no secret is`() async throws {
    try await Node.with { node in
      await expectFault(.notFound, "0123456789") { _ = try await node.status(pod: "0123456789") }
      let auth = Runtime_V1_AuthConfig.with { ($0.username, $0.password, $0.registryToken) = ("somebody", "hunter2", "t0ken") }
      await expectFault(.unknown, "RegistryUnavailable") { _ = try await node.pull("127.0.0.1:1/no/registry:here", auth: auth) }
      _ = try await node.pods()
      let log = node.daemonLog()
      func lines(_ method: String) -> [Substring] { log.split(separator: "\n").filter { $0.contains("." + method) } }
      #expect(lines("RuntimeService/PodSandboxStatus").count == 1 && lines("RuntimeService/PodSandboxStatus")[0].contains("NOT_FOUND"))
      #expect(lines("ImageService/PullImage").count == 1 && lines("ImageService/PullImage")[0].contains("127.0.0.1:1"))
      #expect(lines("RuntimeService/ListPodSandbox").count == 1)
      for secret in ["hunter2", "t0ken", "c29tZWJvZHk6aHVudGVyMg"] { #expect(!log.contains(secret)) }
    }
  }
}

extension Node {
  /// IDs, by the call that is not bound to one message.
  func streamedPods() async throws -> [String] {
    var ids: [String] = []
    let responses = try berth().serverStreaming(
      "/runtime.v1.RuntimeService/StreamPodSandboxes", Runtime_V1_StreamPodSandboxesRequest(),
      returning: Runtime_V1_StreamPodSandboxesResponse.self)
    for try await response in responses { ids += response.podSandboxes.map(\.id) }
    return ids
  }
}
