import CRIAPI
import Core
import Linux
import Support
import SwiftProtobuf
import Testing

/// Containers on cgroup v2 alone, wherever this runs.
@Suite(.serialized, .timeLimit(.minutes(5))) struct UnifiedCgroupTests {
  private func on(_ settings: String, _ body: (Node) async throws -> Void) async throws {
    try await UnifiedRealm.with { launcher in
      try await Node.with(settings: settings, launcher: launcher) { node in
        try await node.importBusybox()
        try await body(node)
      }
    }
  }

  private let script =
    "mkdir /sys/fs/cgroup/made 2>/dev/null && rmdir /sys/fs/cgroup/made && echo writable || echo read-only; cat /proc/self/cgroup | grep ^0"

  @Test func `a container may divide its own cgroup where its handler or an allowed annotation says so, and no other`() async throws {
    let settings = """
      [runtimes.open]
      inherit_default_runtime = true
      cgroup_writable = true
      [runtimes.asking]
      inherit_default_runtime = true
      allowed_annotations = ["cgroup2-mount-hierarchy-rw.crio.io"]

      """
    try await on(settings) { node in
      func said(_ handler: String, _ annotations: [String: String] = [:]) async throws -> String {
        let pod = try await node.run(
          try node.podConfig("cgroups-\(handler)-\(annotations.count)") {
            $0.annotations = annotations
            $0.linux.securityContext.namespaceOptions.network = .node
          }, handler)
        return try await node.output(script, in: pod)
      }
      let asked = ["cgroup2-mount-hierarchy-rw.crio.io": "true"]
      let (open, asking) = (try await said("open"), try await said("asking"))
      #expect(open == "writable\n0::/\n" && asking == "read-only\n0::/\n")
      let (allowed, refused) = (try await said("asking", asked), try await said("", asked))
      #expect(allowed == "writable\n0::/\n" && refused == "read-only\n0::/\n")
    }
  }

  @Test func `systemd as a container's init finds what it needs, and is asked to end in its own way`() async throws {
    try await on("") { node in
      try Files.write(
        "#!/bin/sh\ntrap 'echo bye; exit 9' 37\ngrep -c -E ' (/run|/run/lock|/tmp|/var/log/journal) ' /proc/self/mountinfo\necho $container\n"
          + "\(script)\ntouch /run/x /run/lock/x /tmp/x /var/log/journal/x && echo places\nstat -c %a /tmp\n"
          + "echo ready\nwhile :; do sleep 0.05; done\n",
        to: node.scratch + "/systemd", mode: 0o755)
      let pod = try await node.run(try node.podConfig("systemd") { $0.linux.securityContext.namespaceOptions.network = .node })
      let id = try await node.launch("init", ["/opt/systemd"], in: pod) {
        $0.mounts = [.with { ($0.hostPath, $0.containerPath) = (node.scratch + "/systemd", "/opt/systemd") }]
      }
      try await eventually("it is up") { try await node.log(id, of: pod).hasSuffix("ready\n") ? true : nil }
      #expect(try await node.log(id, of: pod) == "4\noci\nwritable\n0::/\nplaces\n1777\nready\n")
      #expect(try await node.status(container: id).stopSignal == .sigrtminplus3)
      try await node.stop(container: id, timeout: 30)
      #expect(try await node.status(container: id).exitCode == 9)
    }
  }
}
