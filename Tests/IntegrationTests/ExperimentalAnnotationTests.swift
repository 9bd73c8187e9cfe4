import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Annotations that count only where a runtime handler allows them, as its containers see it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ExperimentalAnnotationTests {
  @Test func `a umask holds for the container, in pods of the handler that allows it`() async throws {
    try await Node.with(settings: "[runtimes.open]\ninherit_default_runtime = true\nallowed_annotations = [\"umask.crio.io\"]\n") { node in
      try await node.importBusybox()
      let config = { (name: String) in
        try node.podConfig(name) {
          $0.annotations = ["umask.crio.io": "027"]
          $0.linux.securityContext.namespaceOptions.network = .node
        }
      }
      let open = try await node.run(try config("open"), "open")
      #expect(try await node.output("umask", in: open) == "0027\n")
      #expect(try await node.output("umask", in: open) { $0.annotations = ["umask.crio.io": "077"] } == "0077\n")
      await expectFault(.invalidArgument, "umask.crio.io", "099") {
        _ = try await node.output("umask", in: open) { $0.annotations = ["umask.crio.io": "099"] }
      }
      let closed = try await node.run(try config("closed"))
      #expect(try await node.output("umask", in: closed) == "0022\n")
      #expect(node.daemonLog().contains("annotation umask.crio.io is ignored"))
    }
  }
}
