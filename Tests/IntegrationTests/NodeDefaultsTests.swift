import CRIAPI
import Core
import FoundationEssentials
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// What `[containers]` and `[pods.sysctls]` say, as a container sees it.
@Suite(.serialized) struct NodeDefaultsTests {
  private static let settings = """
    [pods.sysctls]
    "net.ipv4.tcp_keepalive_time" = "77"
    "kernel.shm_rmid_forced" = "1"
    [containers]
    default_ulimits = ["nofile=77:88"]
    default_env = ["FROM_NODE=yes"]
    default_capabilities = ["CHOWN"]
    seccomp_profile = "/tmp/berth-seccomp-PID.json"
    unset_seccomp_profile = "runtime/default"
    pids_limit = 77
    additional_devices = ["/dev/zero:/dev/nothing:r"]
    read_only = true
    timezone = "Local"
    add_passwd_entries = true
    ignore_image_defined_volumes = true
    absent_mount_sources_to_reject = ["/no/such/source"]
    """.replacing("PID", with: "\(Process.id)")

  @Test func `every container has what the node's operator wants for it`() async throws {
    let profile = "/tmp/berth-seccomp-\(Process.id).json"
    try Files.write(
      #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}"#, to: profile)
    defer { try? Files.remove(profile) }
    try await Node.with(settings: Self.settings) { node in
      try await node.importBusybox("--volume", "/home")
      let pod = try await node.run(try node.podConfig("defaults") { $0.linux.sysctls = ["kernel.shm_rmid_forced": "0"] })
      let script = """
        ulimit -Sn; ulimit -Hn; echo $FROM_NODE; grep CapEff /proc/self/status; mkdir /tmp/x 2>/dev/null || echo no-mkdir
        touch /x 2>/dev/null || echo read-only; touch /tmp/y /run/y /var/tmp/y && echo places; head -c 1 /dev/nothing | wc -c
        grep -q ' /home ' /proc/self/mountinfo || echo no-volume; grep -c ' /etc/localtime ' /proc/self/mountinfo
        cat /proc/sys/net/ipv4/tcp_keepalive_time /proc/sys/kernel/shm_rmid_forced
        """
      let id = try await node.launch("main", ["sh", "-c", script], in: pod)
      #expect(try await node.ended(id).exitCode == 0)
      let said = try await node.log(id, of: pod)
      #expect(
        said == "77\n88\nyes\nCapEff:\t0000000000000001\nno-mkdir\nread-only\nplaces\n1\nno-volume\n1\n77\n0\n", "\(said)")
      let whoami = try await node.launch("whoami", ["sh", "-c", "id -un; id -gn; grep -c root /etc/passwd"], in: pod) {
        ($0.linux.securityContext.runAsUser.value, $0.linux.securityContext.runAsGroup.value) = (4242, 4343)
      }
      #expect(try await node.ended(whoami).exitCode == 0)
      #expect(try await node.log(whoami, of: pod) == "4242\n4343\n1\n")
      let sleeper = try await node.launch("sleeper", ["sleep", "1000"], in: pod)
      #expect(try await node.exec(sleeper, ["sh", "-c", "ulimit -Hn"]).stdout == .init("88\n".utf8))
      let tree = try CgroupTree.detect()
      let pids = tree.hierarchies.first { tree.mode == .unified || $0.controls("pids") }?.mountPoint ?? ""
      #expect(try Files.read("\(pids)\(Node.cgroup(of: sleeper))/pids.max") == Array("77\n".utf8))
      await expectFault(.failedPrecondition, "/no/such/source", "absent_mount_sources_to_reject") {
        _ = try await node.launch("rejected", ["true"], in: pod) {
          $0.mounts = [.with { ($0.hostPath, $0.containerPath) = ("/no/such/source", "/x") }]
        }
      }
    }
  }

  @Test(arguments: [
    ("[containers]\ndefault_capabilities = [\"FLY\"]", "FLY"), ("[containers]\nseccomp_profile = \"/no/such\"", "/no/such"),
    ("[containers]\ntimezone = \"Middle/Earth\"", "Middle/Earth"), ("[pods.sysctls]\n\"vm.swappiness\" = \"1\"", "vm.swappiness"),
    ("[containers]\nadditional_devices = [\"fuse\"]", "fuse"),
  ])
  func `what cannot be honoured stops berthd at its start, by its name`(_ settings: String, _ word: String) async throws {
    try await expectRefusedSettings(settings, word)
  }

  @Test func `a runtime that does not end its create is killed in time, and the container says so`() async throws {
    try await withScratch("slow-runtime") { scratch in
      let program = scratch + "/slow"
      try Files.write("#!/bin/sh\ncase \"$*\" in *\" create \"*) exec sleep 1000;; esac\nexec /usr/sbin/runc \"$@\"\n", to: program)
      try Files.setMode(program, 0o755)
      try await Node.with(settings: "[runtimes.slow]\npath = \"\(program)\"\ncontainer_create_timeout = \"300ms\"\n") { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("slow"), "slow")
        let id = try await node.create(node.containerConfig("main", ["true"]), in: pod)
        await expectFault(.internal, "did not end in time") { try await node.start(container: id) }
        #expect(try await node.status(container: id).reason == "StartError")
      }
    }
  }
}
