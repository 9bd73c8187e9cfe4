import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Images as lists, statuses and the disk show them.
@Suite(.serialized) struct ImageListTests {
  @Test func `an image is found and removed by each of its names, and pinned where the node says so`() async throws {
    try await Node.with(settings: "[images]\npinned = [\"*busybox*\"]\n") { node in
      for reference in ["tag", "id", "short", "digest"] {
        try await node.importBusybox()
        let image = try #require(try await node.images().first)
        #expect(image.repoTags == [Node.busybox] && image.repoDigests.count == 1 && image.pinned && image.size > 0)
        #expect(try await streamed(node, "") == [image])
        #expect(try await streamed(node, "localhost/none:1").isEmpty)
        let names = ["tag": "busybox", "id": image.id, "short": String(image.id.dropFirst(7).prefix(12)), "digest": image.repoDigests[0]]
        let name = try #require(names[reference])
        let request = Runtime_V1_ListImagesRequest.with { $0.filter.image.image = name }
        #expect(try await node.image("ListImages", request, returning: Runtime_V1_ListImagesResponse.self).images == [image], "\(name)")
        let asked = Runtime_V1_ImageStatusRequest.with { ($0.image.image, $0.verbose) = (name, true) }
        let told = try await node.image("ImageStatus", asked, returning: Runtime_V1_ImageStatusResponse.self)
        #expect(told.image == image && told.info["info"]?.contains("\"imageSpec\":{") == true, "\(told.info)")
        try await node.removeImage(name)
        #expect(try await node.images().isEmpty)
      }
    }
  }

  private func streamed(_ node: Node, _ image: String) async throws -> [Runtime_V1_Image] {
    var images: [Runtime_V1_Image] = []
    for try await part in try node.berth().serverStreaming(
      "/runtime.v1.ImageService/StreamImages", Runtime_V1_StreamImagesRequest.with { $0.filter.image.image = image },
      returning: Runtime_V1_StreamImagesResponse.self)
    { images += part.images }
    return images
  }

  @Test func `a container's status names its image as people do, and by its ID`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let image = try #require(try await node.images().first)
      let pod = try await node.run(try node.podConfig("named"))
      let id = try await node.create(
        node.containerConfig("main", ["/bin/true"], image: image.id) { $0.image.userSpecifiedImage = "busybox" }, in: pod)
      let status = try await node.status(container: id)
      #expect(status.image.image == Node.busybox && status.image.userSpecifiedImage == "busybox")
      #expect(status.imageID == image.id && status.imageRef == image.repoDigests[0])
      let listed = try await node.containers()
      #expect(listed.map(\.imageID) == [image.id] && listed.map(\.imageRef) == [image.repoDigests[0]])
    }
  }

  @Test func `an image that is removed by one of its tags has none any more, and its containers go on`() async throws {
    try await Node.with { node in
      let second = "localhost/second:1"
      for name in [Node.busybox, second, "digest"] {
        try await node.importBusybox()
        try await node.importArchive(node.scratch + "/busybox.tar", name: second)
        let image = try #require(try await node.images().first)
        #expect(try await node.images().count == 1 && Set(image.repoTags) == [Node.busybox, second], "\(image.repoTags)")
        let pod = try await node.run(try node.podConfig("user") { $0.linux.securityContext.namespaceOptions.network = .node })
        let id = try await node.launch("main", ["sleep", "1000"], in: pod)
        try await node.removeImage(name == "digest" ? image.repoDigests[0] : name)
        #expect(try await node.images().isEmpty)
        for gone in [Node.busybox, second, image.id] {
          let request = Runtime_V1_ImageStatusRequest.with { $0.image.image = gone }
          #expect(try await !node.image("ImageStatus", request, returning: Runtime_V1_ImageStatusResponse.self).hasImage, "\(gone)")
        }
        #expect(try await node.exec(id, ["/bin/sh", "-c", "exit 4"]).exitCode == 4)
        try await node.remove(pod: pod)
        // Nothing to do is no error.
        try await node.removeImage(second)
      }
    }
  }

  /// The last line of `du` over these paths, in bytes or in inodes.
  private func du(_ what: String, _ paths: [String]) async throws -> UInt64 {
    let output = try await Command.run("/usr/bin/du", ["-sc", what] + paths, timeout: .seconds(10))
    let total = String(decoding: output.stdout, as: UTF8.self).split(separator: "\n").last ?? ""
    return UInt64(total.prefix { $0.isNumber }) ?? 0
  }

  /// ImageFsInfo, once it says of images and containers what `du` says, inodes too.
  private func trueFigures(_ node: Node) async throws -> Runtime_V1_ImageFsInfoResponse {
    try await eventually("the figures are true", within: 40) {
      let info = try await node.image("ImageFsInfo", Runtime_V1_ImageFsInfoRequest(), returning: Runtime_V1_ImageFsInfoResponse.self)
      #expect(info.imageFilesystems.count == 1 && info.containerFilesystems.count == 1)
      let places = [["/layers", "/content"], ["/snapshots"]]
      for (told, paths) in zip(info.imageFilesystems + info.containerFilesystems, places) {
        let paths = paths.map { node.root + $0 }
        guard told.timestamp > 0, try await told.usedBytes.value == du("--block-size=1", paths),
          try await told.inodesUsed.value == du("--inodes", paths)
        else { return nil }
      }
      return info
    }
  }

  private func write(on node: Node) async throws {
    let pod = try await node.run(try node.podConfig("disk") { $0.linux.securityContext.namespaceOptions.network = .node })
    let script =
      "dd if=/dev/zero of=/x bs=1M count=2 2>/dev/null; for n in 1 2 3; do touch /f$n; ln /f$n /l$n; done; exec sleep 99"
    _ = try await node.launch("main", ["/bin/sh", "-c", script], in: pod)
  }

  @Test func `both filesystems are as full as du says, in bytes and in inodes`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      try await write(on: node)
      let info = try await trueFigures(node)
      #expect(info.imageFilesystems[0].fsID.mountpoint == node.root && info.containerFilesystems[0].fsID.mountpoint == node.root)
      #expect(info.imageFilesystems[0].usedBytes.value > 1 << 20 && info.containerFilesystems[0].usedBytes.value > 2 << 20)
      #expect(info.imageFilesystems[0].inodesUsed.value > 10 && info.containerFilesystems[0].inodesUsed.value > 6)
    }
  }

  @Test func `where containers write to a filesystem of their own, each has its own mount point`() async throws {
    try await Node.with { node in
      let snapshots = node.root + "/snapshots"
      try await node.kill()
      try await withTmpfs(snapshots, size: "64m") { _ in
        try await node.start()
        try await node.importBusybox()
        try await write(on: node)
        let info = try await trueFigures(node)
        #expect(info.imageFilesystems[0].fsID.mountpoint == node.root + "/layers")
        #expect(info.containerFilesystems[0].fsID.mountpoint == snapshots)
        for pod in try await node.pods() { try await node.remove(pod: pod.id) }
        try await node.kill()
      }
      try await node.start()
    }
  }
}
