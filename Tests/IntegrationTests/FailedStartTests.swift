import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// A sandbox that fails while what it made cannot be taken away: nothing is forgotten, nobody has to wait, and it goes as soon as it can.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FailedStartTests {
  /// A node whose network plugin fails ADD while there is a file `fail`, having made a file of the sandbox that cannot be removed (chattr(1), +i), and
  /// fails DEL as often as `deletes` says.
  private func withStubbornNode(_ body: (Node, String) async throws -> Void) async throws {
    try await withScratch("stubborn") { scratch in
      try await Node.with(settings: "bin_dirs = [\"\(scratch)\"]\n") { node in
        let script = """
          #!/bin/sh
          echo $CNI_COMMAND >>\(scratch)/calls
          case $CNI_COMMAND in
            ADD)
              [ -e \(scratch)/fail ] || { echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.8.7/24"}]}'; exit 0; }
              /usr/bin/chattr +i \(node.state)/sandboxes/$CNI_CONTAINERID/hosts
              echo '{"cniVersion":"1.0.0","code":100,"msg":"no luck today"}'; exit 1;;
            DEL)
              left=$(cat \(scratch)/deletes)
              [ $left = 0 ] && exit 0
              echo $((left - 1)) >\(scratch)/deletes
              echo '{"cniVersion":"1.0.0","code":101,"msg":"not yet"}'; exit 1;;
            VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}';;
          esac
          """
        try Files.write(script, to: scratch + "/odd", mode: 0o755)
        try Files.write("2\n", to: scratch + "/deletes")
        try Files.write("", to: scratch + "/fail")
        try Files.write(#"{"cniVersion":"1.0.0","name":"odd","plugins":[{"type":"odd"}]}"#, to: node.networkConfig + "/10-test.conflist")
        do { try await body(node, scratch) } catch {
          try? await release(node)
          throw error
        }
      }
    }
  }

  private func release(_ node: Node) async throws {
    for id in try Files.list(node.state + "/sandboxes") {
      _ = try await Command.run("/usr/bin/chattr", ["-i", "\(node.state)/sandboxes/\(id)/hosts"], timeout: .seconds(5))
    }
  }

  private func failedSandbox(_ node: Node, _ name: String) async throws -> String {
    await expectFault(.internal, "pod default/\(name)", "network", "no luck today") { _ = try await node.run(try node.podConfig(name)) }
    let pods = try await node.pods()
    #expect(pods.count == 1 && pods.first?.state == .sandboxNotready && pods.first?.metadata.name == name)
    return try #require(pods.first).id
  }

  private func gone(_ node: Node, _ id: String) async throws {
    try await eventually("the sandbox is gone", within: 30) { try await node.pods().allSatisfy { $0.id != id } ? true : nil }
    #expect(!Files.exists("\(node.state)/sandboxes/\(id)"))
  }

  @Test func `it is listed, leaves the next attempt free, and goes by itself`() async throws {
    try await withStubbornNode { node, scratch in
      let id = try await failedSandbox(node, "stuck")
      #expect(try await node.status(pod: id).state == .sandboxNotready)
      await expectFault(.alreadyExists, id) { _ = try await node.run(try node.podConfig("stuck")) }
      try Files.remove(scratch + "/fail")
      let next = try await node.run(try node.podConfig("stuck") { $0.metadata.attempt = 1 })
      #expect(try await node.status(pod: next).state == .sandboxReady)
      try await release(node)
      try await gone(node, id)
      try await eventually("the network is given back", within: 30) {
        try Files.read(scratch + "/deletes") == Array("0\n".utf8) ? true : nil
      }
      #expect(try await node.pods().map(\.id) == [next])
    }
  }

  @Test func `who removes it is told why it stays, until it does not`() async throws {
    try await withStubbornNode { node, _ in
      let id = try await failedSandbox(node, "removed")
      await expectFault(.internal, "remove", "/sandboxes/\(id)/hosts") { try await node.remove(pod: id) }
      try await release(node)
      try await node.remove(pod: id)
      try await gone(node, id)
    }
  }

  @Test func `a restart forgets nothing of it`() async throws {
    try await withStubbornNode { node, _ in
      let id = try await failedSandbox(node, "kept")
      try await node.restart()
      #expect(try await node.pods().map(\.id) == [id])
      try await release(node)
      try await gone(node, id)
    }
  }

  @Test func `where all can be taken back nothing is left at once`() async throws {
    try await withStubbornNode { node, scratch in
      let script = String(decoding: try Files.read(scratch + "/odd"), as: UTF8.self)
      try Files.write(script.replacing("chattr +i", with: "chattr -i"), to: scratch + "/odd", mode: 0o755)
      await expectFault(.internal, "no luck today") { _ = try await node.run(try node.podConfig("clean")) }
      #expect(try await node.pods().isEmpty)
      #expect(try Files.list(node.state + "/sandboxes").isEmpty)
    }
  }
}
