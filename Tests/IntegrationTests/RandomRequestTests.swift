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
  /// Whether it went well.
  private func attempt(
    _ seed: UInt64, _ method: String, _ changes: @autoclosure () throws -> [FieldChange], _ call: () async throws -> Void
  ) async throws -> Bool {
    do {
      try await call()
      return true
    } catch let status as GRPCStatus {
      Refusal(method: method, changes: try changes(), status: status, seed: seed).check()
      return false
    }
  }

  @Test(arguments: Load.seeds(from: 11)) func `containers of any config`(_ seed: UInt64) async throws {
    let definitions = try CRIDefinitions()
    try await Node.with(settings: BusyNode.settings(seed)) { node in
      try await node.importBusybox()
      var pods: [FullConfigs.Kind: String] = [:]
      for kind in FullConfigs.Kind.allCases { pods[kind] = try await node.runFull(kind) }
      var mutation = WireMutation(seed: seed, texts: FullConfigs.texts)
      var done = 0
      for number in 0..<Load.number("BERTH_REQUESTS", usual: 150) {
        let kind = FullConfigs.Kind.of(UInt64(number))
        let full = try FullConfigs.container(scratch: node.scratch, image: Node.busybox, kind).serializedBytes() as [UInt8]
        guard var config = try? Runtime_V1_ContainerConfig(serializedBytes: mutation.mutate(full, changes: number % 3)) else { continue }
        config.keepHostPaths(below: node.scratch)
        let bytes = try config.serializedBytes() as [UInt8]
        let request = Runtime_V1_CreateContainerRequest.with { ($0.podSandboxID, $0.config) = (pods[kind] ?? "", config) }
        let changes = { definitions.changes(of: "ContainerConfig", from: full, to: bytes) }
        if try await attempt(seed, "CreateContainer \(number)", changes(), { try await node.tryContainer(request.serializedBytes()) }) {
          done += 1
        }
      }
      #expect(done > 0, "a generator whose requests are all refused proves nothing")
      for pod in pods.values { #expect(try await node.output("echo fine", in: pod) == "fine\n") }
    }
  }

  @Test(arguments: Load.seeds(from: 21)) func `pods of any config`(_ seed: UInt64) async throws {
    let definitions = try CRIDefinitions()
    try await Node.with(settings: BusyNode.settings(seed)) { node in
      try node.letPodsIn()
      var mutation = WireMutation(seed: seed, texts: FullConfigs.texts)
      var done = Set<FullConfigs.Kind>()
      for number in 0..<Load.number("BERTH_REQUESTS", usual: 80) {
        let kind = FullConfigs.Kind.of(UInt64(number))
        let full = try FullConfigs.sandbox(scratch: node.scratch, cgroup: Node.cgroup, kind).serializedBytes() as [UInt8]
        guard var config = try? Runtime_V1_PodSandboxConfig(serializedBytes: mutation.mutate(full, changes: number % 3)) else { continue }
        if config.linux.cgroupParent.hasPrefix("/") { config.linux.cgroupParent = Node.cgroup }
        let bytes = try config.serializedBytes() as [UInt8]
        let request = Runtime_V1_RunPodSandboxRequest.with { $0.config = config }
        let changes = { definitions.changes(of: "PodSandboxConfig", from: full, to: bytes) }
        if try await attempt(seed, "RunPodSandbox \(number)", changes(), { try await node.tryPod(request.serializedBytes()) }) {
          done.insert(kind)
        }
      }
      #expect(done == Set(FullConfigs.Kind.allCases), "a generator whose requests are all refused proves nothing")
      #expect(try await node.pods().isEmpty)
      try await node.importBusybox()
      let good = try await node.launch("good", ["true"], in: try await node.run(try node.podConfig("good")))
      #expect(try await node.ended(good).exitCode == 0)
    }
  }
}

extension Node {
  /// A pod for what ``FullConfigs`` has of containers of this kind.
  func runFull(_ kind: FullConfigs.Kind) async throws -> String {
    try letPodsIn()
    let full = FullConfigs.sandbox(scratch: scratch, cgroup: Node.cgroup, kind)
    return try await run(
      try podConfig("full-\(kind)") {
        $0.linux.securityContext.namespaceOptions = full.linux.securityContext.namespaceOptions
        $0.annotations["kubernetes.io/ingress-bandwidth"] = "10M"
      })
  }

  /// The roots of pods with user namespaces are nobody here.
  func letPodsIn() throws {
    for directory in [scratch, root] { try Files.setMode(directory, 0o711) }
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
