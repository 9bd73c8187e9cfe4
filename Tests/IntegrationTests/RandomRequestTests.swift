import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Requests with values at the edge of what there is, against a running berthd: it answers each with a result or an error that is the client's
/// to mend, nothing is leaked (the node asserts it), and the next good request works.
@Suite(.serialized) struct RandomRequestTests {
  private static let mendable: [GRPCStatus.Code] = [
    .invalidArgument, .failedPrecondition, .notFound, .alreadyExists, .unimplemented, .resourceExhausted,
  ]

  /// Whether it went well.
  private func attempt(_ seed: UInt64, _ what: String, _ call: () async throws -> Void) async throws -> Bool {
    do {
      try await call()
      return true
    } catch let status as GRPCStatus {
      #expect(Self.mendable.contains(status.code), "seed \(seed): \(what): \(status.code) \(status.message.prefix(600))")
      #expect(!status.message.isEmpty)
      return false
    }
  }

  @Test(arguments: Load.seeds(from: 11)) func `containers of any config`(_ seed: UInt64) async throws {
    try await Node.with(settings: BusyNode.settings(seed)) { node in
      try await node.importBusybox()
      let config = try node.podConfig("random") {
        $0.linux.securityContext.namespaceOptions.network = .node
        $0.linux.cgroupParent = Node.cgroup + "/burstable"
        $0.annotations["kubernetes.io/ingress-bandwidth"] = "10M"
      }
      let pod = try await node.run(config)
      var mutation = WireMutation(seed: seed, texts: FullConfigs.texts)
      let full = try FullConfigs.container(scratch: node.scratch, image: Node.busybox).serializedBytes() as [UInt8]
      var done = 0
      for number in 0..<Load.number("BERTH_REQUESTS", usual: 150) {
        guard var config = try? Runtime_V1_ContainerConfig(serializedBytes: mutation.mutate(full, changes: number % 3)) else { continue }
        config.keepHostPaths(below: node.scratch)
        let isDone = try await attempt(seed, "container \(number)") {
          let id = try await node.create(config, in: pod)
          _ = try await node.status(container: id)
          try await node.remove(container: id)
        }
        if isDone { done += 1 }
      }
      #expect(done > 0, "a generator whose requests are all refused proves nothing")
      let good = try await node.launch("good", ["true"], in: pod)
      #expect(try await node.ended(good).exitCode == 0)
    }
  }

  @Test(arguments: Load.seeds(from: 21)) func `pods of any config`(_ seed: UInt64) async throws {
    try await Node.with(settings: BusyNode.settings(seed)) { node in
      var mutation = WireMutation(seed: seed, texts: FullConfigs.texts)
      let full = try FullConfigs.sandbox(scratch: node.scratch, cgroup: Node.cgroup).serializedBytes() as [UInt8]
      var done = 0
      for number in 0..<Load.number("BERTH_REQUESTS", usual: 80) {
        guard var config = try? Runtime_V1_PodSandboxConfig(serializedBytes: mutation.mutate(full, changes: number % 3)) else { continue }
        if config.linux.cgroupParent.hasPrefix("/") { config.linux.cgroupParent = Node.cgroup }
        let isDone = try await attempt(seed, "pod \(number)") {
          let id = try await node.run(config)
          _ = try await node.status(pod: id)
          try await node.remove(pod: id)
        }
        if isDone { done += 1 }
      }
      #expect(done > 0, "a generator whose requests are all refused proves nothing")
      #expect(try await node.pods().isEmpty)
      try await node.importBusybox()
      let good = try await node.launch("good", ["true"], in: try await node.run(try node.podConfig("good")))
      #expect(try await node.ended(good).exitCode == 0)
    }
  }
}

extension Runtime_V1_ContainerConfig {
  /// Nothing is made outside of the test's directory.
  mutating func keepHostPaths(below scratch: String) {
    for index in mounts.indices where mounts[index].hostPath.hasPrefix("/") && !mounts[index].hostPath.hasPrefix(scratch) {
      mounts[index].hostPath = scratch + "/random" + mounts[index].hostPath
    }
  }
}
