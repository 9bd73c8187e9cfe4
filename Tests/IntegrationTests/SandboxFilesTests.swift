import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// What pods find in their files and namespaces beyond what the CRI says of them.
@Suite(.serialized) struct SandboxFilesTests {
  @Test func `/dev/shm is as large as the node says, or the pod where it may`() async throws {
    let settings = """
      [pods]
      shm_size = 8388608
      [runtimes.generous]
      path = "/usr/sbin/runc"
      allowed_annotations = ["shm-size.crio.io"]
      """
    try await Node.with(settings: settings) { node in
      try await node.importBusybox()
      let size = "df -k /dev/shm | awk 'NR==2 {print $2}'"
      let config = try node.podConfig("shm") { $0.annotations = ["shm-size.crio.io": "128m"] }
      #expect(try await node.output(size, in: try await node.run(config)) == "8192\n")
      #expect(node.daemonLog().contains("shm-size.crio.io is ignored"))
      let large = try node.podConfig("large") { $0.annotations = ["shm-size.crio.io": "128m"] }
      #expect(try await node.output(size, in: try await node.run(large, "generous")) == "131072\n")
      await expectFault(.invalidArgument, "shm-size.crio.io", "lots") {
        _ = try await node.run(try node.podConfig("lots") { $0.annotations = ["shm-size.crio.io": "lots"] }, "generous")
      }
    }
  }

  @Test func `containers have a mtab and the mark of a container`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let look =
        "readlink /etc/mtab; grep -c ' / ' /etc/mtab; stat -c '%F %s' /run/.containerenv; stat -c '%a %u' /etc; head -1 /etc/passwd"
      let expected = "/proc/mounts\n1\nregular empty file 0\n755 0\nroot:"
      let pod = try await node.run(try node.podConfig("files"))
      #expect(try await node.output(look, in: pod).hasPrefix(expected))
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      let mapped = try await node.run(
        try node.podConfig("mapped") {
          $0.linux.securityContext.namespaceOptions.usernsOptions = .with {
            let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.containerID, $0.length) = (131_072, 0, 65_536) }
            ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range])
          }
        })
      let text = try await node.output(look, in: mapped) {
        $0.linux.securityContext.namespaceOptions.usernsOptions = .with {
          let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.containerID, $0.length) = (131_072, 0, 65_536) }
          ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range])
        }
      }
      #expect(text.hasPrefix(expected), "\(text)")
      let readonly = try await node.output("touch /etc/x || echo refused; readlink /etc/mtab", in: pod) {
        $0.linux.securityContext.readonlyRootfs = true
      }
      #expect(readonly.contains("refused\n/proc/mounts\n"), "\(readonly)")
    }
  }

  @Test func `neither is there where the operator does not want them`() async throws {
    try await Node.with(settings: "[containers]\nadd_mtab = false\nadd_containerenv = false\n") { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("plain"))
      #expect(try await node.output("ls -d /etc/mtab /run/.containerenv 2>&1 | grep -c 'No such'", in: pod) == "2\n")
    }
  }

  @Test func `a pod on the host's network has a name of its own where it says one, or the operator wants that`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      func hostPod(_ name: String, hostname: String) async throws -> String {
        try await node.run(
          try node.podConfig(name) {
            $0.hostname = hostname
            $0.linux.securityContext.namespaceOptions.network = .node
          })
      }
      let ask = "hostname; cat /etc/hostname; echo $HOSTNAME; readlink /proc/self/ns/uts"
      let host = SystemName.hostname()
      let uts = try Files.readLink("/proc/self/ns/uts")
      let plain = try await hostPod("plain", hostname: "")
      #expect(try await node.output(ask, in: plain) == "\(host)\n\(host)\n\(host)\n\(uts)\n")
      let named = try await node.output(ask, in: try await hostPod("named", hostname: "web-1"))
      #expect(named.hasPrefix("web-1\nweb-1\nweb-1\n") && !named.contains(uts), "\(named)")
      let path = node.scratch + "/config.toml"
      let text = String(decoding: try Files.read(path), as: UTF8.self)
      try Files.write(text + "\n[pods]\nhost_network_own_uts = true\n", to: path)
      try await node.restart()
      let own = try await node.output(ask, in: try await hostPod("own", hostname: ""))
      #expect(own.hasPrefix("\(host)\n\(host)\n\(host)\n") && !own.contains(uts), "\(own)")
      #expect(try await node.output(ask, in: plain) == "\(host)\n\(host)\n\(host)\n\(uts)\n", "pods stay as they were made")
    }
  }
}
