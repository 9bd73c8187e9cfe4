import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// What only the runtime or the kernel finds out: StartContainer and the container's status say it in the words of who asked.
@Suite(.serialized) struct RefusedStartTests {
  private typealias Change = (inout Runtime_V1_ContainerConfig) -> Void

  private static var cases: [(words: [String], change: Change)] {
    [
      (["linux.resources.memory_limit_in_bytes 4096: "], { $0.linux.resources.memoryLimitInBytes = 4096 }),
      (["command[0] no-such-program: "], { $0.command = ["no-such-program"] }),
      (["with no command, args[0] -c: "], { ($0.command, $0.args) = ([], ["-c", "true"]) }),
      (["command[0] /etc: "], { $0.command = ["/etc"] }),
      (["/proc/x", "inside /proc"], { $0.mounts = [.with { ($0.hostPath, $0.containerPath) = ("/tmp", "/proc/x") }] }),
    ]
  }

  @Test func `a start that fails names the field or what it was given, and its status says the same`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("refused"))
      for (number, (words, change)) in Self.cases.enumerated() {
        let id = try await node.create(node.containerConfig("c\(number)", ["true"], change), in: pod)
        let error = await #expect(throws: GRPCStatus.self, "\(words)") { try await node.start(container: id) }
        let message = error?.message ?? ""
        #expect(error?.code == .failedPrecondition && message.contains("container \(id)"), "\(message)")
        for word in words { #expect(message.contains(word), "\(word) is not in: \(message)") }
        let status = try await node.status(container: id)
        #expect(status.state == .containerExited && status.reason == "StartError" && status.exitCode == 128)
        #expect(!status.message.isEmpty && message.hasSuffix(status.message), "\(message), but \(status.message)")
        try await node.remove(container: id)
      }
      #expect(try await node.output("echo fine", in: pod) == "fine\n")
    }
  }
}
