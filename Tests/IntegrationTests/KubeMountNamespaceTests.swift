import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// KUBENSMNT, as the kubelet and CRI-O know it.
@Suite(.serialized) struct KubeMountNamespaceTests {
  @Test func `berthd lives in the mount namespace that its environment names, after a restart too`() async throws {
    let program = Spawn("/usr/bin/unshare", ["-m", "sleep", "1000"], descriptors: [])
    let holder = try await BlockingWork.run { try program.start() }
    defer {
      try? holder.signal(9)
      while !holder.ended(within: 1000) {}
      _ = try? holder.reap()
    }
    let path = "/proc/\(holder.pid)/ns/mnt"
    let own = try Files.readLink("/proc/self/ns/mnt")
    while try Files.readLink(path) == own { try await Task.sleep(for: .milliseconds(5)) }
    try await Node.with(launcher: ["/usr/bin/env", "KUBENSMNT=" + path]) { node in
      #expect(try Files.readLink("/proc/\(try node.processID())/ns/mnt") == Files.readLink(path))
      try await node.importBusybox()
      let config = try node.podConfig("inside")
      let pod = try await node.run(config)
      #expect(try await node.output("echo runs", in: pod) == "runs\n")
      try await node.kill()
      try await node.start()
      #expect(try Files.readLink("/proc/\(try node.processID())/ns/mnt") == Files.readLink(path))
      #expect(try await node.run(config) == pod)
      #expect(try await node.output("echo again", in: pod) == "again\n")
    }
  }

  @Test func `a namespace that cannot be joined is not passed over`() async throws {
    let output = try await Command.run(
      try Programs.path("berthd"), ["--config", "/dev/null"], environment: ["KUBENSMNT=/no/such/namespace"], timeout: .seconds(30))
    #expect(
      !output.succeeded && output.errorText.contains("KUBENSMNT: joining the mount namespace /no/such/namespace"), "\(output.errorText)")
  }
}
