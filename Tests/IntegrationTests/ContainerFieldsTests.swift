import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Fields of ContainerConfig that reach into the host, seen from inside of containers that runc really runs.
@Suite(.serialized) struct ContainerFieldsTests {
  /// What a container prints.
  private func output(
    of command: String, on node: Node, in pod: String, _ change: (inout Runtime_V1_ContainerConfig) -> Void = { _ in }
  ) async throws -> String {
    let id = try await node.launch("c\(command.utf8.count)-\(Int.random(in: 0..<1_000_000))", ["sh", "-c", command], in: pod, change)
    let status = try await node.ended(id)
    let log = try await node.log(id, of: pod)
    #expect(status.exitCode == 0, "\(log)")
    try await node.remove(container: id)
    return log
  }

  private func mount(_ host: String, _ path: String, _ change: (inout Runtime_V1_Mount) -> Void = { _ in }) -> Runtime_V1_Mount {
    var mount = Runtime_V1_Mount.with {
      $0.hostPath = host
      $0.containerPath = path
      // Of images, which cannot be anything else.
      $0.readonly = host.isEmpty
    }
    change(&mount)
    return mount
  }

  @Test func `an image is a read-only volume, whole, a directory of it, or one file`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("image-volume"))
      let image = Runtime_V1_ImageSpec.with { $0.image = Node.busybox }
      let text = try await output(
        of: "cat /image/etc/passwd | head -1; ls /dir; cat /file | head -1; touch /image/x || echo refused; /image/bin/true && echo runs",
        on: node, in: pod
      ) {
        $0.mounts = [
          mount("", "/image") { $0.image = image },
          mount("", "/dir") {
            $0.image = image
            $0.imageSubPath = "etc"
          },
          mount("", "/file") {
            $0.image = image
            $0.imageSubPath = "etc/passwd"
          },
        ]
      }
      #expect(text.split(separator: "\n").filter { $0.hasPrefix("root:") }.count == 2, "\(text)")
      #expect(text.contains("passwd\n") && text.contains("refused") && text.contains("runs"), "\(text)")
      let id = try #require(try await node.images().first { $0.repoTags.contains(Node.busybox) }).id
      let container = try await node.create(
        node.containerConfig("seen", ["true"]) {
          // As kubelets do with a subPath, which the host path has already.
          $0.mounts = [mount("/etc", "/host") { $0.imageSubPath = "../etc" }, mount("", "/image") { $0.image = image }]
        }, in: pod)
      #expect(try await node.status(container: container).mounts.map(\.image.imageRef) == ["", id])
      await expectFault(.failedPrecondition, "ImageVolumeMountFailed: ", "image_sub_path", "no/such") {
        _ = try await output(of: "true", on: node, in: pod) {
          $0.mounts = [
            mount("", "/image") {
              $0.image = image
              $0.imageSubPath = "no/such"
            }
          ]
        }
      }
      await expectFault(.notFound, "ImageVolumeMountFailed: mounts[0].image", "localhost/none:1") {
        _ = try await output(of: "true", on: node, in: pod) { $0.mounts = [mount("", "/image") { $0.image.image = "localhost/none:1" }] }
      }
    }
  }

  @Test func `an image's VOLUMEs are directories of their own with what the image has there`() async throws {
    try await Node.with { node in
      try await node.importBusybox("--volume", "/home", "--volume", "/etc", "--volume", "/brand/new", "--stop-signal", "SIGUSR1")
      let pod = try await node.run(try node.podConfig("volumes"))
      let text = try await output(
        of:
          "head -1 /etc/passwd; echo x > /brand/new/file && cat /brand/new/file; grep -c -E ' (/etc|/home|/brand/new) ' /proc/self/mountinfo",
        on: node, in: pod
      ) { $0.linux.securityContext.readonlyRootfs = true }
      #expect(text.contains("root:") && text.contains("x\n3\n"), "\(text)")
      let id = try await node.launch("sleeper", ["sh", "-c", "trap 'exit 7' USR1; while :; do sleep 0.05; done"], in: pod)
      #expect(try await node.status(container: id).stopSignal == .sigusr1)
      try await node.stop(container: id)
      #expect(try await node.status(container: id).exitCode == 7)
    }
  }

  @Test func `a volume with mappings shows other owners, and what is written belongs to the mapped ones`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("mapped"))
      let data = node.scratch + "/data"
      try Files.makeDirectories(data, mode: 0o777)
      try Files.setOwner(data, FileOwner(user: 1000, group: 1000))
      let range = Runtime_V1_IDMapping.with {
        $0.containerID = 1000
        $0.hostID = 0
        $0.length = 1
      }
      let text = try await output(of: "stat -c %u:%g /data; echo hello > /data/made", on: node, in: pod) {
        $0.mounts = [
          mount(data, "/data") {
            $0.uidMappings = [range]
            $0.gidMappings = [range]
          }
        ]
      }
      #expect(text == "0:0\n")
      let owner = try Files.owner(data + "/made")
      #expect(owner == FileOwner(user: 1000, group: 1000))
    }
  }

  @Test func `missing host paths are made, symlinks followed, devices given, CDI injected`() async throws {
    try await Node.with(settings: "[cdi]\nspec_dirs = [\"/nonexistent\"]\n") { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("paths"))
      try Files.makeDirectories(node.scratch + "/real")
      try Files.write("content", to: node.scratch + "/real/file", mode: 0o644)
      _ = try await Command.run("/bin/ln", ["-s", node.scratch + "/real", node.scratch + "/link"], timeout: .seconds(5))
      let text = try await output(of: "cat /a/file; ls -d /made; ls -l /dev/zero2; head -c 4 /dev/zero2 | wc -c", on: node, in: pod) {
        $0.mounts = [mount(node.scratch + "/link", "/a"), mount(node.scratch + "/deep/er", "/made")]
        $0.devices = [
          .with {
            $0.hostPath = "/dev/zero"
            $0.containerPath = "/dev/zero2"
            $0.permissions = "r"
          }
        ]
      }
      #expect(text.contains("content") && text.contains("/made") && text.hasSuffix("4\n"), "\(text)")
      #expect(Files.isDirectory(node.scratch + "/deep/er"))
      await expectFault(.failedPrecondition, "CDI device vendor.com/x=0") {
        _ = try await output(of: "true", on: node, in: pod) { $0.cdiDevices = [.with { $0.name = "vendor.com/x=0" }] }
      }
    }
  }

  @Test func `a log's directories are made where they are missing`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let directory = node.logs + "/no/such/place"
      let pod = try await node.run(Node.podConfig("logs", logs: directory) { $0.linux.securityContext.namespaceOptions.network = .node })
      let id = try await node.launch("main", ["echo", "hello"], in: pod) { $0.logPath = "main/0.log" }
      #expect(try await node.ended(id).exitCode == 0)
      #expect(try await node.status(container: id).logPath == directory + "/main/0.log")
      #expect(try await node.log(id, of: pod) == "hello\n")
    }
  }

  @Test func `a handler's options reach the runtime's create, and containers run with them`() async throws {
    try await withScratch("options") { scratch in
      let program = scratch + "/runc"
      try Files.write("#!/bin/sh\necho \"$@\" >>\(scratch)/calls\nexec /usr/sbin/runc \"$@\"\n", to: program, mode: 0o755)
      try await Node.with(settings: "[runtimes.odd]\npath = \"\(program)\"\nno_pivot_root = true\nno_new_keyring = true\n") { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("odd") { $0.linux.securityContext.namespaceOptions.network = .node }, "odd")
        #expect(try await node.output("echo fine", in: pod) == "fine\n")
        let calls = String(decoding: try Files.read(scratch + "/calls"), as: UTF8.self).split(separator: "\n")
        let create = calls.first { $0.contains(" create ") } ?? ""
        #expect(create.contains("--no-pivot") && create.contains("--no-new-keyring"), "\(calls)")
      }
    }
  }
}
