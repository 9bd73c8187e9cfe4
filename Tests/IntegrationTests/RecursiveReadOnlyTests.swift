import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// `recursive_read_only` of mounts, in containers that runc really runs.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RecursiveReadOnlyTests {
  private static func volume(_ node: Node, _ path: String, _ change: (inout Runtime_V1_Mount) -> Void = { _ in }) -> Runtime_V1_Mount {
    var mount = Runtime_V1_Mount.with { ($0.hostPath, $0.containerPath, $0.readonly) = (node.scratch + "/volume", path, true) }
    change(&mount)
    return mount
  }

  @Test func `what is mounted below a volume can be written to where that is read-only, and not where that is so recursively`() async throws
  {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("rro") { $0.linux.securityContext.namespaceOptions.network = .node })
      try Files.makeDirectories(node.scratch + "/volume")
      try await withTmpfs(node.scratch + "/volume/inner", size: "1m") { inner in
        try await withTmpfs(inner + "/deep", size: "1m") { _ in
          let script = """
            for at in plain rro; do for below in . inner inner/deep; do
              touch /$at/$below/x 2>/tmp/why && echo $at $below written || echo $at $below "$(grep -o 'Read-only.*' /tmp/why)"
            done; done
            """
          let said = try await node.output(script, in: pod) {
            $0.mounts = [Self.volume(node, "/plain"), Self.volume(node, "/rro") { $0.recursiveReadOnly = true }]
          }
          let refused = "Read-only file system"
          #expect(
            said == """
              plain . \(refused)
              plain inner written
              plain inner/deep written
              rro . \(refused)
              rro inner \(refused)
              rro inner/deep \(refused)

              """)
        }
      }
    }
  }

  @Test func `Status says that the handler can, and the container's status that its mount is`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let status = try await node.runtime("Status", Runtime_V1_StatusRequest(), returning: Runtime_V1_StatusResponse.self)
      #expect(status.runtimeHandlers.first { $0.name == "runc" }?.features.recursiveReadOnlyMounts == true)
      try Files.makeDirectories(node.scratch + "/volume")
      let pod = try await node.run(try node.podConfig("said") { $0.linux.securityContext.namespaceOptions.network = .node })
      let config = node.containerConfig("c", ["true"]) {
        $0.mounts = [Self.volume(node, "/plain"), Self.volume(node, "/rro") { $0.recursiveReadOnly = true }]
      }
      let id = try await node.create(config, in: pod)
      #expect(try await node.status(container: id).mounts.map(\.recursiveReadOnly) == [false, true])
    }
  }

  @Test func `a runtime that cannot is not said to, and a container that needs it is refused`() async throws {
    try await withScratch("no-rro") { scratch in
      let program = scratch + "/runc"
      let script = "#!/bin/sh\n[ \"$*\" = features ] && exec echo '{\"mountOptions\": [\"ro\"]}'\nexec /usr/sbin/runc \"$@\"\n"
      try Files.write(script, to: program, mode: 0o755)
      try await Node.with(settings: "[runtimes.old]\npath = \"\(program)\"\n") { node in
        try await node.importBusybox()
        let status = try await node.runtime("Status", Runtime_V1_StatusRequest(), returning: Runtime_V1_StatusResponse.self)
        #expect(status.runtimeHandlers.first { $0.name == "old" }?.features.recursiveReadOnlyMounts == false)
        let pod = try await node.run(try node.podConfig("old") { $0.linux.securityContext.namespaceOptions.network = .node }, "old")
        try Files.makeDirectories(node.scratch + "/volume")
        let config = node.containerConfig("c", ["true"]) { $0.mounts = [Self.volume(node, "/rro") { $0.recursiveReadOnly = true }] }
        await expectFault(.failedPrecondition, "RROUnsupported: mounts[0] (/rro).recursive_read_only") {
          _ = try await node.create(config, in: pod)
        }
      }
    }
  }
}
