import CRIAPI
import Core
import Linux
import Support
import SwiftProtobuf
import Testing

/// What a log could not keep is counted and told; the container goes on.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LogLossTests {
  private func lost(_ node: Node, _ container: String) async throws -> Int {
    let request = Runtime_V1_ContainerStatusRequest.with { ($0.containerID, $0.verbose) = (container, true) }
    let answer = try await node.runtime("ContainerStatus", request, returning: Runtime_V1_ContainerStatusResponse.self)
    return answer.info["log"]?.firstMatch(of: /^\{"bytesLost":(\d+)\}$/).flatMap { Int($0.1) } ?? -1
  }

  @Test func `a full disk costs output, which is counted for each container and said once`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let config = try node.podConfig("full")
      try await withTmpfs(config.logDirectory, size: "64k") { _ in try await fill(node, config) }
    }
  }

  private func fill(_ node: Node, _ config: Runtime_V1_PodSandboxConfig) async throws {
    let pod = try await node.run(config)
    let script = "i=0; while [ $i -lt 3 ]; do head -c 200000 /dev/zero | tr '\\0' '\\n'; i=$((i+1)); sleep 0.1; done; read l"
    let id = try await node.launch("main", ["/bin/sh", "-c", script], in: pod) { $0.stdin = true }
    let quiet = try await node.launch("quiet", ["/bin/sleep", "1000"], in: pod)
    try await eventually("the loss is counted") { try await lost(node, id) > 100_000 ? true : nil }
    try await eventually("the loss is said") { node.daemonLog().contains("output was lost") ? true : nil }
    #expect(try await lost(node, quiet) == 0)
    try await node.stop(container: id, timeout: 1)
    #expect(try await node.ended(id).state == .containerExited)
    #expect(try await lost(node, id) > 500_000)
    #expect(node.daemonLog().components(of: "output was lost") == 1)
    try await node.remove(pod: pod)
  }
}

extension String {
  /// How often it contains `text`.
  fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
