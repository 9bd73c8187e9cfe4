import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// What an operator sets, seen from inside of containers.
@Suite(.serialized) struct OperatorSettingsTests {
  @Test func `ports below 1024 and pings are as the kernel has them where the node says so`() async throws {
    let settings = "[pods]\nenable_unprivileged_ports = false\nenable_unprivileged_icmp = false\n"
    try await Node.with(settings: settings) { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("privileged-ports"))
      let read = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range | tr '\\t' ' '"
      #expect(try await node.output(read, in: pod) == "1024\n1 0\n")
    }
  }

  @Test func `network namespaces are mounted where the node wants them, and nothing stays there`() async throws {
    try await withScratch("netns") { scratch in
      let directory = scratch + "/below/netns"
      try await Node.with(settings: "[pods]\nnetns_directory = \"\(directory)\"\n") { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("elsewhere"))
        let name = try #require(try Files.list(directory).first)
        #expect(Files.isNamespace("\(directory)/\(name)") && name.hasPrefix("berth-"))
        let own = try await node.output("readlink /proc/self/ns/net", in: pod)
        let output = try await Command.run("/usr/bin/stat", ["-L", "-c", "net:[%i]", "\(directory)/\(name)"], timeout: .seconds(10))
        #expect(own == String(decoding: output.stdout, as: UTF8.self))
        try await node.remove(pod: pod)
        #expect(try Files.list(directory) == [])
      }
    }
  }

  @Test func `a handler's containers are made over the spec that it names, and annotations of containers go through it`() async throws {
    try await withScratch("base-spec") { scratch in
      let base = #"""
        {"process": {"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}], "cwd": "/tmp", "capabilities": {"bounding": ["CAP_KILL"]}},
         "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]},
           "resources": {"memory": {"reservation": 16777216}}}}
        """#
      try Files.write(base, to: scratch + "/base.json")
      let settings = "[runtimes.runc]\nbase_runtime_spec = \"\(scratch)/base.json\"\ncontainer_annotations = [\"run.oci.*\"]\n"
      try await Node.with(settings: settings) { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("based"))
        #expect(try await node.output("ulimit -Sn; ulimit -Hn; pwd", in: pod) == "77\n99\n/tmp\n")
        let capabilities = try await node.output("grep CapBnd /proc/self/status; mkdir x 2>/dev/null || echo refused", in: pod)
        #expect(capabilities.hasPrefix("CapBnd:\t0000000000000020\n") && capabilities.hasSuffix("refused\n"), "\(capabilities)")
        let own = try await node.output("mkdir x && echo made", in: pod) { $0.linux.securityContext.seccomp.profileType = .runtimeDefault }
        #expect(own == "made\n")
        let reservation = "cd /sys/fs/cgroup; cat memory/memory.soft_limit_in_bytes 2>/dev/null || cat memory.low"
        let reserved = try await node.output(reservation, in: pod) { $0.linux.resources.memoryLimitInBytes = 64 << 20 }
        #expect(reserved == "16777216\n")
        let id = try await node.create(
          node.containerConfig("c", ["true"]) { $0.annotations = ["run.oci.x": "yes", "unseen.example": "no"] }, in: pod)
        let spec = String(decoding: try Files.read("\(node.state)/sandboxes/\(pod)/containers/\(id)/config.json"), as: UTF8.self)
        #expect(spec.contains(#""run.oci.x":"yes""#) && !spec.contains(#""unseen.example":"#))
      }
      try Files.write("{", to: scratch + "/base.json")
      try await expectRefusedSettings(settings, "base_runtime_spec \(scratch)/base.json")
    }
  }

  @Test func `a device without a path in the container has its own, and a link to one is followed`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let link = node.scratch + "/link"
      _ = try await Command.run("/bin/ln", ["-s", "/dev/fuse", link], timeout: .seconds(10))
      let pod = try await node.run(try node.podConfig("devices"))
      let text = try await node.output("ls -l /dev/fuse \(link) | cut -c1", in: pod) {
        $0.devices = [.with { $0.hostPath = "/dev/fuse" }, .with { ($0.hostPath, $0.permissions) = (link, "r") }]
      }
      #expect(text == "c\nc\n")
    }
  }

  @Test func `a privileged container has the host's devices, or not where its handler says so`() async throws {
    let settings = "[runtimes.bare]\npath = \"/usr/sbin/runc\"\nprivileged_without_host_devices = true\n"
    try await Node.with(settings: settings) { node in
      try await node.importBusybox()
      for (handler, hasKernelMessages) in [("", true), ("bare", false)] {
        let pod = try await node.run(
          try node.podConfig("devices\(handler)") { $0.linux.securityContext.privileged = true }, handler)
        let text = try await node.output("ls /dev/kmsg 2>/dev/null; true", in: pod) { $0.linux.securityContext.privileged = true }
        #expect(text == (hasKernelMessages ? "/dev/kmsg\n" : ""), "\(handler)")
      }
    }
  }
}
