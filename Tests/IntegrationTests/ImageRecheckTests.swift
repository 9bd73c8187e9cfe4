import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Image verifiers when a container is made.
@Suite(.serialized) struct ImageRecheckTests {
  /// A node whose verifier, once it is there, says what the file `verdict` says and counts its runs in `runs`.
  private struct Policy {
    let directory: String
    let notes: String

    func install(_ words: String = "") throws {
      let script = "#!/bin/sh\n# \(words)\necho \"$2\" >> \(notes)/runs\ncat \(notes)/verdict; exec grep -q yes \(notes)/verdict\n"
      try Files.write(script, to: directory + "/.new", mode: 0o755)
      try Files.move(directory + "/.new", to: directory + "/policy")
    }

    func say(_ verdict: String) throws { try Files.replace(notes + "/verdict", with: Array(verdict.utf8), durable: false) }

    var runs: [String] {
      ((try? Files.read(notes + "/runs")) ?? []).split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  private func with(_ recheck: String = "", _ body: (Node, Policy) async throws -> Void) async throws {
    try await withScratch("verifiers") { directory in
      try await withScratch("notes") { notes in
        let settings = "[images]\nverifier_dir = \"\(directory)\"\n" + (recheck.isEmpty ? "" : "verifier_recheck = \"\(recheck)\"\n")
        try await Node.with(settings: settings) { node in try await body(node, Policy(directory: directory, notes: notes)) }
      }
    }
  }

  private func refusal(_ node: Node, _ pod: String, _ name: String) async -> GRPCStatus? {
    await #expect(throws: GRPCStatus.self) { _ = try await node.create(node.containerConfig(name, ["/bin/true"]), in: pod) }
  }

  @Test func `an image that was agreed to makes containers without asking again, after a restart too`() async throws {
    try await with { node, policy in
      try policy.say("yes")
      try policy.install()
      try await node.importBusybox()
      #expect(policy.runs == [Node.busybox])
      let pod = try await node.run(node.podConfig("web"))
      for name in ["a", "b"] { _ = try await node.create(node.containerConfig(name, ["/bin/true"]), in: pod) }
      try await node.restart()
      _ = try await node.create(node.containerConfig("c", ["/bin/true"]), in: pod)
      #expect(policy.runs.count == 1)
    }
  }

  @Test func `a verifier that came later is asked before the next container, once, and its no is final`() async throws {
    try await with { node, policy in
      try await node.importBusybox()
      let pod = try await node.run(node.podConfig("web"))
      _ = try await node.create(node.containerConfig("before", ["/bin/true"]), in: pod)
      try policy.say("not signed by anyone I know")
      try policy.install()
      let error = await refusal(node, pod, "refused")
      #expect(error?.code == .permissionDenied)
      let words = "container refused: image \(Node.busybox): image verifier policy: rejected: not signed by anyone I know"
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
      try policy.say("yes")
      let image = try #require(try await node.images().first)
      let config = node.containerConfig("by-id", ["/bin/true"], image: image.id) { $0.image.userSpecifiedImage = "busybox" }
      _ = try await node.create(config, in: pod)
      _ = try await node.create(node.containerConfig("again", ["/bin/true"]), in: pod)
      #expect(policy.runs == [Node.busybox, Node.busybox], "refusals are not remembered, approvals are")
      try policy.install("a new version")
      _ = try await node.create(node.containerConfig("newer", ["/bin/true"]), in: pod)
      #expect(policy.runs.count == 3)
    }
  }

  @Test(arguments: [("always", 3), ("never", 1), ("1h", 1)]) func `how often is a setting`(recheck: String, runs: Int) async throws {
    try await with(recheck) { node, policy in
      try policy.say("yes")
      try policy.install()
      try await node.importBusybox()
      let pod = try await node.run(node.podConfig("web"))
      for name in ["a", "b"] { _ = try await node.create(node.containerConfig(name, ["/bin/true"]), in: pod) }
      #expect(policy.runs.count == runs)
    }
  }
}
