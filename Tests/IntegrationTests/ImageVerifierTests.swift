import CRIAPI
import Core
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

@Suite(.serialized) struct ImageVerifierTests {
  /// Runs a node whose images a script decides on; `$2` is the image's name, `$4` its digest.
  private func withVerifier(_ script: String, _ body: (Node, String, ServedImage) async throws -> Void) async throws {
    let image = ServedImage([try await PackedLayer([.file("a", "a")])])
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await withScratch("verifiers") { directory in
        try Files.write("#!/bin/sh\n" + script, to: directory + "/policy", mode: 0o755)
        try await Node.with(settings: "[images]\nverifier_dir = \"\(directory)\"\nverifier_timeout = \"2s\"\n") { node in
          try await body(node, server.authority + "/test/image:1", image)
        }
      }
    }
  }

  @Test func `an image that every verifier agrees to is pulled, and they are told which it is`() async throws {
    let script = #"[ "$1 $3 $5" = "-name -digest -stdin-media-type" ] && grep -q "\"digest\":\"$4\"" && echo fine"#
    try await withVerifier(script) { node, name, image in
      _ = try await node.pull(name)
      #expect(node.daemonLog().contains("image accepted"))
      #expect(node.daemonLog().contains("\(image.digest)") || node.daemonLog().contains(name))
    }
  }

  @Test func `an image that one rejects is refused with its words, as the kubelet knows it, and nothing is left`() async throws {
    try await withVerifier("echo not signed by anyone I know; exit 3") { node, name, _ in
      let error = await #expect(throws: GRPCStatus.self) { _ = try await node.pull(name) }
      #expect(error?.code == .unknown)
      #expect(error?.message.hasPrefix("SignatureValidationFailed: image \(name)") == true, "\(error?.message ?? "")")
      #expect(error?.message.contains("image verifier policy: rejected: not signed by anyone I know") == true, "\(error?.message ?? "")")
      try await eventually("nothing is left") { try node.storedThings().isEmpty ? true : nil }
    }
  }

  @Test func `a verifier that does not answer says no`() async throws {
    try await withVerifier("exec sleep 60") { node, name, _ in
      let error = await #expect(throws: GRPCStatus.self) { _ = try await node.pull(name) }
      #expect(error?.message.contains("no answer in") == true, "\(error?.message ?? "")")
    }
  }

  @Test func `imports are asked about too`() async throws {
    try await withVerifier("echo no; exit 1") { node, _, _ in
      let error = await #expect(throws: GRPCStatus.self) { try await node.importBusybox() }
      #expect(error?.message.contains("image verifier policy: rejected: no") == true, "\(error?.message ?? "")")
      let images = try await node.images()
      #expect(images.isEmpty)
    }
  }
}
