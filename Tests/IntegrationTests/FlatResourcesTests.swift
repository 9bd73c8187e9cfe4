import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

@testable import Streaming

/// Many sessions leave no descriptor behind in berthd and the shim; `hack/soak` does the same for long.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FlatResourcesTests {
  private func descriptors(_ pids: [Int32]) throws -> [Int] { try pids.map { try Files.list("/proc/\($0)/fd").count } }

  @Test func `hundreds of execs and sessions leave descriptors as they were`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("flat"))
      let container = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
      let pids = [try node.processID(), try node.shimID(of: pod)]
      try await execs(node, container, 16)
      try await sessions(node, container, 8)
      try await Task.sleep(for: .milliseconds(200))
      let before = try descriptors(pids)
      try await execs(node, container, 160)
      try await sessions(node, container, 40)
      try await eventually("descriptors are as before: \(before)") {
        zip(try descriptors(pids), before).allSatisfy { $0 <= $1 } ? true : nil
      }
    }
  }

  private func execs(_ node: Node, _ container: String, _ count: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<8 {
        group.addTask {
          for number in 0..<(count / 8) {
            let answer = try await node.exec(container, ["/bin/sh", "-c", "echo \(worker) \(number); exit \(number % 5)"])
            #expect(answer.exitCode == Int32(number % 5) && String(decoding: answer.stdout, as: UTF8.self) == "\(worker) \(number)\n")
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// All at once, each with its own words.
  private func sessions(_ node: Node, _ container: String, _ count: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<count {
        group.addTask {
          let request = Runtime_V1_ExecRequest.with {
            ($0.containerID, $0.cmd, $0.stdin, $0.stdout, $0.stderr) = (container, ["cat"], true, true, true)
          }
          let url = try await node.runtime("Exec", request, returning: Runtime_V1_ExecResponse.self).url
          let client = try await CommandClient.start(url, ["stdin", "stdout", "stderr"])
          try await client.send("word \(number)", fin: true)
          let status = try await client.finish()
          #expect(status.contains("Success") && client.text("stdout") == "word \(number)", "\(status)")
        }
      }
      try await group.waitForAll()
    }
  }
}
