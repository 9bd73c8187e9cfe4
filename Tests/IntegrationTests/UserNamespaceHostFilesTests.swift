import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Devices and files of the host in pods whose root is nobody on the host.
@Suite(.serialized, .timeLimit(.minutes(5))) struct UserNamespaceHostFilesTests {
  private func with(_ settings: String, _ body: (Node, String) async throws -> Void) async throws {
    try await Node.with(settings: settings) { node in
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      try await node.importBusybox()
      let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (400_000, 65536) }
      let pod = try await node.run(
        try node.podConfig("users") {
          $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
        })
      try await body(node, pod)
    }
  }

  private let devices: [Runtime_V1_Device] = [
    .with { ($0.hostPath, $0.containerPath, $0.permissions) = ("/dev/fuse", "/dev/deep/fuse", "r") },
    .with { ($0.hostPath, $0.containerPath) = ("/dev/zero", "/dev/nothing") },
  ]

  @Test func `a device has the name and the rights that were asked for, and belongs to the pod's root`() async throws {
    try await with("") { node, pod in
      let script = """
        stat -c '%u:%g' /dev/deep/fuse /dev/nothing; head -c 3 /dev/nothing | wc -c; : </dev/deep/fuse && echo read
        (: >/dev/deep/fuse) 2>/dev/null || echo no-write; mknod /dev/own c 1 5 2>/dev/null || echo no-mknod; echo still >/dev/null && echo null
        """
      let said = try await node.output(script, in: pod) { $0.devices = devices }
      #expect(said == "0:0\n0:0\n3\nread\nno-write\nno-mknod\nnull\n", "\(said)")
    }
  }

  @Test func `devices belong to who is to use them where the node says so`() async throws {
    try await with("[containers]\ndevice_ownership_from_security_context = true\n") { node, pod in
      let said = try await node.output("stat -c '%u:%g' /dev/nothing; head -c 3 /dev/nothing | wc -c", in: pod) {
        $0.devices = devices
        $0.linux.securityContext.runAsUser.value = 1500
        $0.linux.securityContext.runAsGroup.value = 1600
      }
      #expect(said == "1500:1600\n3\n")
    }
  }

  @Test func `what a CDI spec mounts is the pod's to use, secret files of the host's root too`() async throws {
    try await withScratch("cdi") { scratch in
      try Files.setMode(scratch, 0o700)
      try Files.makeDirectories(scratch + "/driver", mode: 0o700)
      try Files.write("library\n", to: scratch + "/driver/library", mode: 0o600)
      try Files.write("socket\n", to: scratch + "/file", mode: 0o600)
      try Files.write(
        """
        {"cdiVersion": "0.6.0", "kind": "vendor.com/gpu", "devices": [{"name": "0", "containerEdits": {
          "deviceNodes": [{"path": "/dev/vendor0", "hostPath": "/dev/zero"}],
          "mounts": [
            {"hostPath": "\(scratch)/driver", "containerPath": "/driver", "options": ["ro", "nosuid", "nodev", "bind"]},
            {"hostPath": "\(scratch)/file", "containerPath": "/etc/file"},
            {"hostPath": "/sys/kernel/mm", "containerPath": "/plain", "options": ["ro"]}]}}]}
        """, to: scratch + "/vendor.json")
      try await with("[cdi]\nspec_dirs = [\"\(scratch)\"]\n") { node, pod in
        let script = """
          cat /driver/library /etc/file; stat -c '%u:%g' /driver/library /etc/file /dev/vendor0; touch /driver/x 2>/dev/null || echo read-only
          head -c 2 /dev/vendor0 | wc -c; ls /plain >/dev/null && echo plain
          """
        let said = try await node.output(script, in: pod) { $0.cdiDevices = [.with { $0.name = "vendor.com/gpu=0" }] }
        #expect(said == "library\nsocket\n0:0\n0:0\n0:0\nread-only\n2\nplain\n", "\(said)")
        #expect(node.daemonLog().contains("/sys/kernel/mm: its filesystem cannot show files with other owners"))
      }
    }
  }
}
