import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Programs of the operator's that run at points of containers' lives.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HookTests {
  @Test func `hooks run at their stages, are read anew, and a broken one fails only new containers`() async throws {
    try await withScratch("hooks") { scratch in
      try Files.write("#!/bin/sh\ncat >>\"$1\"; echo \" $2\" >>\"$1\"\n", to: scratch + "/hook", mode: 0o755)
      try Files.setMode(scratch, 0o755)
      try Files.makeDirectories(scratch + "/hooks.d")
      try await Node.with(settings: "[containers]\nhooks_dir = [\"\(scratch)/hooks.d\"]\n") { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("hooks") { $0.linux.securityContext.namespaceOptions.network = .node })
        #expect(try await node.output("echo before", in: pod) == "before\n")
        for stage in ["createRuntime", "poststop"] {
          let text = """
            {"version": "1.0.0", "hook": {"path": "\(scratch)/hook", "args": ["hook", "\(scratch)/said", "\(stage)"]},
             "when": {"annotations": {"^watched$": "^true$"}}, "stages": ["\(stage)"]}
            """
          try Files.write(text, to: "\(scratch)/hooks.d/\(stage).json")
        }
        #expect(try await node.output("echo unwatched", in: pod) == "unwatched\n")
        #expect(!Files.exists(scratch + "/said"))
        let id = try await node.launch("watched", ["true"], in: pod) { $0.annotations = ["watched": "true"] }
        #expect(try await node.ended(id).exitCode == 0)
        try await node.remove(container: id)
        let said = String(decoding: try Files.read(scratch + "/said"), as: UTF8.self).split(separator: "\n")
        #expect(said.count == 2 && said.allSatisfy { $0.contains(id) }, "\(said)")
        #expect(said.first?.hasSuffix(" createRuntime") == true && said.last?.hasSuffix(" poststop") == true, "\(said)")
        try Files.write("{\"version\": \"1.0.0\"}", to: scratch + "/hooks.d/broken.json")
        await expectFault(.failedPrecondition, scratch + "/hooks.d/broken.json", "hook") {
          _ = try await node.launch("later", ["true"], in: pod)
        }
        try Files.remove(scratch + "/hooks.d/broken.json")
        #expect(try await node.output("echo after", in: pod) == "after\n")
      }
    }
  }
}
