import CRIAPI
import Core
import GRPC
import Linux
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

  @Test func `both filesystems are as full as du says`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("disk"))
      _ = try await node.launch("main", ["/bin/sh", "-c", "dd if=/dev/zero of=/x bs=1M count=2 2>/dev/null; exec sleep 1000"], in: pod)
      func du(_ paths: [String]) async throws -> UInt64 {
        let output = try await Command.run("/usr/bin/du", ["-sc", "--block-size=1"] + paths, timeout: .seconds(10))
        let total = String(decoding: output.stdout, as: UTF8.self).split(separator: "\n").last ?? ""
        return UInt64(total.prefix { $0.isNumber }) ?? 0
      }
      try await eventually("the figures are true", within: 40) { () -> Bool? in
        let info = try await node.image("ImageFsInfo", Runtime_V1_ImageFsInfoRequest(), returning: Runtime_V1_ImageFsInfoResponse.self)
        #expect(
          info.imageFilesystems.map(\.fsID.mountpoint) == [node.root] && info.containerFilesystems.map(\.fsID.mountpoint) == [node.root])
        guard (info.imageFilesystems + info.containerFilesystems).allSatisfy({ $0.timestamp > 0 }) else { return nil }
        let images = try await du([node.root + "/layers", node.root + "/content"])
        let containers = try await du([node.root + "/snapshots"])
        return info.imageFilesystems[0].usedBytes.value == images && info.containerFilesystems[0].usedBytes.value == containers ? true : nil
      }
    }
  }
}
