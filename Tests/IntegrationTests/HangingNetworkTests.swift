import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Network plugins that never answer or always fail: each costs its own pod an error that names it, and nobody else anything.
@Suite(.serialized) struct HangingNetworkTests {
  /// Puts a script in front of the plugins; `$1` of the test's plan says what it does.
  private func plugin(_ name: String, _ script: String, on node: Node) throws {
    try Files.makeDirectories(node.scratch + "/bin")
    try Files.write("#!/bin/sh\n" + script, to: node.scratch + "/bin/" + name, mode: 0o755)
    try Files.write(
      #"{"cniVersion":"1.0.0","name":"\#(node.networkName)","plugins":[{"type":"\#(name)"}]}"#, to: node.networkConfig + "/10-test.conflist"
    )
  }

  @Test func `a network plugin that hangs is killed, named, and leaves no pod`() async throws {
    try await Node.with(settings: "timeout = 1\n") { node in
      try node.usePlugins(in: node.scratch + "/bin")
      try await node.restart()
      try plugin("sleeper", "[ \"$CNI_COMMAND\" = ADD ] && exec sleep 1000\nexit 0\n", on: node)
      await expectFault(.deadlineExceeded, "pod default/slow", "network", "plugin \"sleeper\" ADD") {
        _ = try await node.run(try node.podConfig("slow"))
      }
      #expect(try await node.pods().isEmpty)
      try plugin("sleeper", Self.answer, on: node)
      let pod = try await node.run(try node.podConfig("slow"))
      #expect(try await node.status(pod: pod).network.ip == "10.99.0.7")
    }
  }

  @Test func `a DEL that fails does not hold a pod back, is reported, and done later`() async throws {
    try await Node.with(settings: "timeout = 5\n") { node in
      try node.usePlugins(in: node.scratch + "/bin")
      try await node.restart()
      let failing =
        "[ \"$CNI_COMMAND\" = DEL ] && [ ! -e \(node.scratch)/mended ] && { echo '{\"code\":7,\"msg\":\"the switch is on fire\"}'; exit 1; }\n"
      try plugin("moody", failing + Self.answer, on: node)
      let pod = try await node.run(try node.podConfig("moody"))
      try await node.stop(pod: pod)
      try await node.remove(pod: pod)
      #expect(try await node.pendingDetaches().contains("the switch is on fire"))
      try Files.write("", to: node.scratch + "/mended")
      try await eventually("the detach is done", within: 30) { try await node.pendingDetaches() == "[]" ? true : nil }
    }
  }

  private static let answer = """
    [ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"'$CNI_NETNS'"}],"ips":[{"interface":0,"address":"10.99.0.7/24"}]}'
    exit 0

    """
}

extension Node {
  /// Plugins of the test's own, before the system's. Takes a restart.
  func usePlugins(in directory: String) throws {
    let path = scratch + "/config.toml"
    let text = String(decoding: try Files.read(path), as: UTF8.self)
    try Files.write(text.replacing("[cni]\n", with: "[cni]\nbin_dirs = [\"\(directory)\", \"/usr/lib/cni\"]\n"), to: path)
  }

  func pendingDetaches() async throws -> String {
    let request = Runtime_V1_StatusRequest.with { $0.verbose = true }
    return try await runtime("Status", request, returning: Runtime_V1_StatusResponse.self).info["pendingNetworkDetaches"] ?? ""
  }
}
