import CRIAPI
import Core
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

/// Nodes whose operator has the host, the runtime or cryptography in unusual places.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PlacedNodeTests {
  @Test func `host paths of mounts are looked for below the prefix, and no symlink leads out of it`() async throws {
    try await withScratch("host") { host in
      for directory in ["data/a", "etc"] { try Files.makeDirectories("\(host)/\(directory)") }
      try Files.write("inside\n", to: host + "/data/a/file")
      try Files.write("the container's\n", to: host + "/etc/hostname")
      for (target, name) in [("/data", "absolute"), ("../../../data", "climbing"), ("/later", "dangling")] {
        _ = try await Command.run("/bin/ln", ["-s", target, "\(host)/\(name)"], timeout: .seconds(5))
      }
      let settings = "[containers]\nbind_mount_prefix = \"\(host)/\"\nabsent_mount_sources_to_reject = [\"/rejected\"]\n"
      try await Node.with(settings: settings) { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("prefixed") { $0.linux.securityContext.namespaceOptions.network = .node })
        for path in ["/data/a/file", "/absolute/a/file", "/climbing/a/file", "/data/../data/./a/file"] {
          let seen = try await node.output("cat /x", in: pod) { $0.mounts = [Self.mount(path, "/x")] }
          #expect(seen == "inside\n", "\(path): \(seen)")
        }
        #expect(try await node.output("cat /x", in: pod) { $0.mounts = [Self.mount("/etc/hostname", "/x")] } == "the container's\n")
        _ = try await node.output("echo made >/x/file", in: pod) { $0.mounts = [Self.mount("/absolute/b/c", "/x")] }
        #expect(try Files.read(host + "/data/b/c/file") == Array("made\n".utf8))
        await expectFault(.failedPrecondition, "/rejected", "absent_mount_sources_to_reject") {
          _ = try await node.output("true", in: pod) { $0.mounts = [Self.mount("/rejected", "/x")] }
        }
        await expectFault(.failedPrecondition, "/dangling/x") {
          _ = try await node.output("true", in: pod) { $0.mounts = [Self.mount("/dangling/x", "/x")] }
        }
        #expect(!Files.exists("/later") && !Files.exists(host + "/rejected"))
        let id = try await node.launch("status", ["true"], in: pod) { $0.mounts = [Self.mount("/data/a", "/x")] }
        #expect(try await node.status(container: id).mounts.map(\.hostPath) == ["/data/a"])
      }
    }
  }

  private static func mount(_ host: String, _ path: String) -> Runtime_V1_Mount {
    .with { ($0.hostPath, $0.containerPath) = (host, path) }
  }

  @Test func `images of another platform run by the program that the handler has for it`() async throws {
    try await withScratch("emulator") { scratch in
      let program = scratch + "/foreign-runc"
      try Files.write("#!/bin/sh\necho $$ >>\(scratch)/calls\nexec /usr/sbin/runc \"$@\"\n", to: program, mode: 0o755)
      let settings = """
        [runtimes.runc.platform_runtime_paths]
        "\(Platform.host.os)/\(Platform.host.architecture)" = "\(program)"
        "linux/s390x" = "/no/such/program"
        [runtimes.plain]
        inherit_default_runtime = true
        """
      try await Node.with(settings: settings) { node in
        try await node.importBusybox()
        let plain = try await node.run(try node.podConfig("plain"), "plain")
        #expect(try await node.output("echo runs", in: plain) == "runs\n")
        #expect(!Files.exists(scratch + "/calls"))
        let pod = try await node.run(try node.podConfig("foreign"))
        #expect(try await node.output("echo runs", in: pod) == "runs\n")
        #expect(Files.exists(scratch + "/calls"))
        try Files.setMode(program, 0o644)
        await expectFault(.failedPrecondition, "platform_runtime_paths", program, Platform.host.architecture) {
          _ = try await node.output("true", in: pod)
        }
      }
    }
  }

  @Test func `in FIPS mode containers are told, and a pod may be let out`() async throws {
    let settings = "[containers]\nfips = \"enabled\"\n[runtimes.runc]\nallowed_annotations = [\"disable-fips.crio.io\"]\n"
    try await Node.with(settings: settings) { node in
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      let policies = [
        "etc/crypto-policies/config=DEFAULT", "etc/crypto-policies/back-ends/openssl=everything",
        "usr/share/crypto-policies/default-fips-config=FIPS", "usr/share/crypto-policies/back-ends/FIPS/openssl=only what is approved",
      ]
      try await node.importBusybox("--file", policies[0], "--file", policies[1], "--file", policies[2], "--file", policies[3])
      let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (600_000, 65536) }
      let pods = [
        try await node.run(try node.podConfig("plain") { $0.linux.securityContext.namespaceOptions.network = .node }),
        try await node.run(
          try node.podConfig("users") {
            $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
          }),
      ]
      let script =
        "cat /etc/crypto-policies/config /etc/crypto-policies/back-ends/openssl; ls /run/secrets; cat /proc/sys/crypto/fips_enabled; true"
      // "1" in `hack/vm` with BERTH_VM_APPEND=fips=1; not every kernel can have it.
      let mode = (try? Files.read("/proc/sys/crypto/fips_enabled")).map { String(decoding: $0, as: UTF8.self) }
      for pod in pods {
        let seen = try await node.output("(\(script)) 2>/dev/null", in: pod)
        #expect(seen == "FIPS\nonly what is approved\nsystem-fips\n" + (mode ?? ""), "\(seen)")
        #expect(try await node.output("(echo x >/etc/crypto-policies/config) 2>/dev/null && echo written; true", in: pod) == "")
      }
      let out = try await node.run(
        try node.podConfig("out") {
          $0.annotations = ["disable-fips.crio.io": "true"]
          $0.linux.securityContext.namespaceOptions.network = .node
        })
      let free = try await node.output("(\(script)) 2>/dev/null", in: out)
      #expect(free == "DEFAULT\neverything\n", "\(free)")
    }
  }
}
