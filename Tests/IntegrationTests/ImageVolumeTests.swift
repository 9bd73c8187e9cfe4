import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Images as volumes, whose content nobody vouches for.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ImageVolumeTests {
  /// Links out of it by every way there is, a program that would make its caller root, and a device.
  private func with(_ body: (Node, String, String) async throws -> Void) async throws {
    let image = ServedImage([
      try await PackedLayer([
        .directory("etc"), .file("etc/hostname", "the image's"), .symlink("absolute", "/etc"), .symlink("etc/up", "../../../../../etc"),
        .symlink("chain", "absolute/up/hostname"), .symlink("proc-root", "/proc/self/root/etc"), .symlink("loop", "loop"),
        .file("etc/program", "#!/bin/sh\nexit 0\n").mode(0o6755), .device("etc/memory", "3", 1, 1),
      ])
    ])
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await Node.with { node in
        try await node.importBusybox()
        let name = server.authority + "/test/volume:1"
        _ = try await node.pull(name)
        let pod = try await node.run(try node.podConfig("image") { $0.linux.securityContext.namespaceOptions.network = .node })
        try await body(node, name, pod)
      }
    }
  }

  private func volume(_ image: String, _ path: String, of inside: String) -> Runtime_V1_Mount {
    .with { ($0.containerPath, $0.readonly, $0.image.image, $0.imageSubPath) = (path, true, image, inside) }
  }

  @Test func `links in an image's sub path lead to places in the image, wherever they point`() async throws {
    try await with { node, image, pod in
      let paths = ["absolute", "etc/up", "absolute/up/up", "/etc"]
      for path in paths {
        let said = try await node.output("cat /volume/hostname", in: pod) { $0.mounts = [volume(image, "/volume", of: path)] }
        #expect(said.hasPrefix("the image's"), "\(path): \(said)")
      }
      for path in ["chain", "absolute/hostname"] {
        let said = try await node.output("cat /volume", in: pod) { $0.mounts = [volume(image, "/volume", of: path)] }
        #expect(said.hasPrefix("the image's"), "\(path): \(said)")
      }
      for path in ["loop", "proc-root", "proc-root/hostname", "../etc", "etc/../../etc"] {
        let config = node.containerConfig("refused-\(path.utf8.count)", ["true"]) { $0.mounts = [volume(image, "/volume", of: path)] }
        let status = await #expect(throws: GRPCStatus.self, "\(path)") { _ = try await node.create(config, in: pod) }
        #expect(status?.message.contains("image_sub_path") == true, "\(path): \(status?.message ?? "")")
      }
      #expect(try await node.containers().isEmpty)
    }
  }

  @Test func `programs of an image volume make nobody root, and its devices cannot be used`() async throws {
    try await with { node, image, pod in
      let said = try await node.output(
        "grep -o ' /volume .* - ' /proc/self/mountinfo; ls -l /volume/etc/memory | cut -c1; head -c 1 /volume/etc/memory 2>&1 | grep -o 'Permission.*'",
        in: pod
      ) { $0.mounts = [volume(image, "/volume", of: "")] }
      let lines = said.split(separator: "\n").map(String.init)
      let options = lines.first?.split(separator: " ").dropFirst().first?.split(separator: ",") ?? []
      #expect(Set(["ro", "nosuid", "nodev"]).isSubset(of: Set(options.map(String.init))), "\(said)")
      #expect(lines.dropFirst() == ["c", "Permission denied"], "\(said)")
    }
  }
}
