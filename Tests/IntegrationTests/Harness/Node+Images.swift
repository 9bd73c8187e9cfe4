import BerthAPI
import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf

extension Node {
  /// What ``importBusybox()`` makes.
  static let busybox = "docker.io/library/busybox:latest"

  /// Imports a small image made from Debian's busybox-static; `options` are those of hack/mkimage-busybox.
  func importBusybox(_ options: String...) async throws {
    let archive = scratch + "/busybox.tar"
    let source = "\(#filePath)".replacing("/Tests/IntegrationTests/Harness/Node+Images.swift", with: "")
    let output = try await Command.run(
      source + "/hack/mkimage-busybox", options + [archive],
      environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      timeout: .seconds(60))
    guard output.succeeded else { throw Fault(.internal, "mkimage-busybox: " + String(decoding: output.stderr, as: UTF8.self)) }
    try await importArchive(archive)
  }

  @discardableResult
  func importArchive(_ path: String, name: String = "") async throws -> [Berth_V1_ImportedImage] {
    let request = Berth_V1_ImportRequest.with {
      $0.path = path
      $0.name = name
    }
    var images: [Berth_V1_ImportedImage] = []
    for try await progress in try berth().serverStreaming("/berth.v1.Berth/Import", request, returning: Berth_V1_ImportProgress.self) {
      if case .image(let image)? = progress.event { images.append(image) }
    }
    return images
  }

  func pull(_ name: String, auth: Runtime_V1_AuthConfig? = nil) async throws -> String {
    let request = Runtime_V1_PullImageRequest.with {
      $0.image = .with { $0.image = name }
      if let auth { $0.auth = auth }
    }
    return try await image("PullImage", request, returning: Runtime_V1_PullImageResponse.self).imageRef
  }

  func images() async throws -> [Runtime_V1_Image] {
    try await image("ListImages", Runtime_V1_ListImagesRequest(), returning: Runtime_V1_ListImagesResponse.self).images
  }

  func removeImage(_ name: String) async throws {
    _ = try await image(
      "RemoveImage", Runtime_V1_RemoveImageRequest.with { $0.image = .with { $0.image = name } },
      returning: Runtime_V1_RemoveImageResponse.self)
  }
}
