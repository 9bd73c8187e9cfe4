import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// What the operator gives to every container: copies of files of the host.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DefaultMountsTests {
  @Test func `every container has a copy of its own, whoever is root in its pod`() async throws {
    try await withScratch("mounts") { scratch in
      for directory in ["secrets/sub", "empty"] { try Files.makeDirectories("\(scratch)/\(directory)", mode: 0o755) }
      try Files.write("one\n", to: scratch + "/secrets/one", mode: 0o600)
      try Files.write("two\n", to: scratch + "/secrets/sub/two", mode: 0o644)
      _ = try await Command.run("/bin/ln", ["-s", "sub/two", scratch + "/secrets/link"], timeout: .seconds(5))
      _ = try await Command.run("/bin/ln", ["-s", "/no/such", scratch + "/secrets/dangling"], timeout: .seconds(5))
      try Files.write(
        "# what there is\n\n\(scratch)/secrets:/run/secrets\n\(scratch)/secrets/one:/etc/one\n/no/such/place:/x\n",
        to: scratch + "/mounts.conf")
      try await Node.with(settings: "[containers]\ndefault_mounts_file = \"\(scratch)/mounts.conf\"\n") { node in
        for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
        try await node.importBusybox()
        let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (400_000, 65536) }
        let pods = [
          try await node.run(try node.podConfig("plain") { $0.linux.securityContext.namespaceOptions.network = .node }),
          try await node.run(
            try node.podConfig("users") {
              $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
            }),
        ]
        let script = """
          cd /run/secrets; cat one link sub/two /etc/one; stat -c '%u %a' one sub; ls; echo changed >one; cat /etc/one; ls -d /x 2>/dev/null; true
          """
        for pod in pods {
          let said = try await node.output(script, in: pod)
          #expect(said == "one\ntwo\ntwo\none\n0 600\n0 755\nlink\none\nsub\none\n", "\(said)")
        }
        #expect(try Files.read(scratch + "/secrets/one") == Array("one\n".utf8))
        let own = try await node.output("ls /run/secrets", in: pods[0]) {
          $0.mounts = [.with { ($0.hostPath, $0.containerPath) = (scratch + "/empty", "/run/secrets/") }]
        }
        #expect(own.isEmpty)
        for link in ["here", "again"] {
          _ = try await Command.run("/bin/ln", ["-s", ".", "\(scratch)/secrets/\(link)"], timeout: .seconds(5))
        }
        await expectFault(.failedPrecondition, scratch + "/secrets", "nested deeper than 32") {
          _ = try await node.output("true", in: pods[0])
        }
        try Files.write("relative:/x\n", to: scratch + "/mounts.conf")
        await expectFault(.failedPrecondition, scratch + "/mounts.conf", "line 1", "relative:/x") {
          _ = try await node.output("true", in: pods[0])
        }
      }
    }
  }
}
