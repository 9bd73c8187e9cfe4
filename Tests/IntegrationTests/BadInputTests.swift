import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Each ends with an error that says what and where, with the right code, and (the node asserts it) with nothing left behind.
@Suite(.serialized) struct BadInputTests {
  private func expect(
    _ code: GRPCStatus.Code, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation, _ call: () async throws -> Void
  ) async {
    let error = await #expect(throws: GRPCStatus.self, sourceLocation: sourceLocation) { try await call() }
    #expect(error?.code == code, "\(error.map { "\($0)" } ?? "")", sourceLocation: sourceLocation)
    for word in words {
      #expect(error?.message.contains(word) == true, "\(word) is not in: \(error?.message ?? "")", sourceLocation: sourceLocation)
    }
  }

  @Test func `what is not there is NOT_FOUND and named`() async throws {
    try await Node.with { node in
      let id = String(repeating: "ab", count: 32)
      await expect(.notFound, "pod sandbox", id) { _ = try await node.status(pod: id) }
      await expect(.notFound, "container", id) { _ = try await node.status(container: id) }
      await expect(.notFound, "container", id) { try await node.start(container: id) }
      await expect(.notFound, "container", id) { _ = try await node.exec(id, ["true"]) }
      await expect(.notFound, "pod sandbox", id) { _ = try await node.create(node.containerConfig("c", ["true"]), in: id) }
      try await node.removeImage("registry.invalid/no/such:image")
    }
  }

  @Test func `a container needs an image that is here, a log directory that can be, and a user the image knows`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("bad"))
      await expect(.notFound, "image", "no/such") {
        _ = try await node.create(node.containerConfig("a", ["true"], image: "localhost/no/such:1"), in: pod)
      }
      try Files.write("", to: node.logs + "/bad/file")
      for path in ["file/b.log", "file/deep/b.log"] {
        await expect(.failedPrecondition, "log", "/bad/file") {
          _ = try await node.create(node.containerConfig("b", ["true"]) { $0.logPath = path }, in: pod)
        }
      }
      await expect(.invalidArgument, "nobody-knows-me") {
        _ = try await node.create(
          node.containerConfig("c", ["true"]) { $0.linux.securityContext.runAsUsername = "nobody-knows-me" }, in: pod)
      }
      #expect(try await node.containers().isEmpty)
    }
  }

  @Test func `empty names are refused with the field's name`() async throws {
    try await Node.with { node in
      await expect(.invalidArgument, "metadata") { _ = try await node.run(Runtime_V1_PodSandboxConfig()) }
      await expect(.invalidArgument, "runtime handler", "kata") {
        let request = Runtime_V1_RunPodSandboxRequest.with {
          $0.config = Node.podConfig("handler")
          $0.runtimeHandler = "kata"
        }
        _ = try await node.runtime("RunPodSandbox", request, returning: Runtime_V1_RunPodSandboxResponse.self)
      }
    }
  }

  @Test func `without a network configuration the node says so and no pod starts`() async throws {
    try await Node.with { node in
      try Files.remove(node.networkConfig + "/10-test.conflist")
      let status = try await node.runtime("Status", Runtime_V1_StatusRequest(), returning: Runtime_V1_StatusResponse.self)
      let network = status.status.conditions.first { $0.type == "NetworkReady" }
      #expect(network?.status == false && network?.message.contains(node.networkConfig) == true, "\(network?.message ?? "")")
      await expect(.failedPrecondition, "pod default/lonely", "network") { _ = try await node.run(try node.podConfig("lonely")) }
      #expect(try await node.pods().isEmpty)
    }
  }

  @Test func `a network plugin that fails or is missing is named with its words`() async throws {
    try await Node.with { node in
      let path = node.networkConfig + "/10-test.conflist"
      try Files.write(#"{"cniVersion":"1.0.0","name":"x","plugins":[{"type":"no-such-plugin"}]}"#, to: path)
      await expect(.failedPrecondition, "no-such-plugin") { _ = try await node.run(try node.podConfig("missing")) }
      let bridge = #"{"type":"bridge","bridge":"\#(node.networkName)","ipam":{"type":"host-local","ranges":[[{"subnet":"nonsense"}]]}}"#
      try Files.write(#"{"cniVersion":"1.0.0","name":"x","plugins":[\#(bridge)]}"#, to: path)
      let error = await #expect(throws: GRPCStatus.self) { _ = try await node.run(try node.podConfig("failing")) }
      #expect(error?.message.contains("bridge") == true && error?.message.contains("nonsense") == true, "\(error?.message ?? "")")
    }
  }

  @Test func `an OCI runtime that is missing shows in Status, and a container's error names it`() async throws {
    try await Node.with(settings: "[runtimes]\ndefault = \"gone\"\n[runtimes.gone]\npath = \"/no/such/runc\"\n") { node in
      let status = try await node.runtime("Status", Runtime_V1_StatusRequest(), returning: Runtime_V1_StatusResponse.self)
      let runtime = status.status.conditions.first { $0.type == "RuntimeReady" }
      #expect(runtime?.status == false && runtime?.message.contains("gone") == true, "\(runtime?.message ?? "")")
    }
  }

  @Test func `a configuration with an unknown key stops berthd with file, line and the nearest key`() async throws {
    try await Node.with { node in
      let path = node.scratch + "/bad.toml"
      try Files.write("root = \"\(node.root)\"\n[grpc]\nadress = \"/tmp/x.sock\"\n", to: path)
      let output = try await Command.run(try Programs.path("berthd"), ["--config", path], timeout: .seconds(20))
      #expect(!output.succeeded)
      let text = String(decoding: output.stderr, as: UTF8.self)
      #expect(text.contains("bad.toml") && text.contains("3") && text.contains("address"), "\(text)")
    }
  }

  @Test func `registry trouble comes back with the code it deserves`() async throws {
    try await Node.with { node in
      await expect(.unknown, "RegistryUnavailable: ", "127.0.0.1:1") { _ = try await node.pull("127.0.0.1:1/no/registry:here") }
      await expect(.invalidArgument, "UPPER") { _ = try await node.pull("localhost/UPPER/case") }
      let error = await #expect(throws: GRPCStatus.self) { _ = try await node.pull("127.0.0.1:1/no/registry:here") }
      #expect(error?.message.hasPrefix("RegistryUnavailable: ") == true, "kubelets look at the beginning")
      let images = try await node.images()
      #expect(images.isEmpty)
    }
  }
}
