import BerthAPI
import CRIAPI
import Core
import SwiftProtobuf

extension Runtime {
  func images(_ filter: String = "") async throws -> Runtime_V1_ListImagesResponse {
    let request = Runtime_V1_ListImagesRequest.with { if !filter.isEmpty { $0.filter.image.image = filter } }
    return try await connection.call(.image("ListImages"), request, timeout: Self.patience)
  }

  /// Nil where the image is not on this node.
  func image(_ reference: String) async throws -> Runtime_V1_Image? {
    let request = Runtime_V1_ImageStatusRequest.with { $0.image.image = reference }
    let answer: Runtime_V1_ImageStatusResponse = try await connection.call(.image("ImageStatus"), request, timeout: Self.patience)
    return answer.hasImage ? answer.image : nil
  }

  func removeImage(_ reference: String) async throws {
    let request = Runtime_V1_RemoveImageRequest.with { $0.image.image = reference }
    let _: Runtime_V1_RemoveImageResponse = try await connection.call(.image("RemoveImage"), request, timeout: nil)
  }

  func imageFilesystems() async throws -> Runtime_V1_ImageFsInfoResponse {
    try await connection.call(.image("ImageFsInfo"), Runtime_V1_ImageFsInfoRequest(), timeout: Self.patience)
  }

  func pull(_ request: Berth_V1_PullRequest, _ body: (Berth_V1_PullProgress) async throws -> Void) async throws {
    do {
      try await connection.stream(.berth("Pull"), request, body)
    } catch let fault as Fault where fault.code == .unimplemented {
      try await pullByCRI(request, body)
    }
  }

  func importArchive(_ request: Berth_V1_ImportRequest, _ body: (Berth_V1_ImportProgress) async throws -> Void) async throws {
    try await connection.stream(.berth("Import"), request, body)
  }

  /// Any CRI runtime can pull; it only cannot say how far it is.
  private func pullByCRI(_ request: Berth_V1_PullRequest, _ body: (Berth_V1_PullProgress) async throws -> Void) async throws {
    let question = Runtime_V1_PullImageRequest.with {
      $0.image.image = request.reference
      let own = request.credentials
      if own != Berth_V1_Credentials() {
        $0.auth.username = own.username
        $0.auth.password = own.password
        $0.auth.identityToken = own.identityToken
        $0.auth.registryToken = own.registryToken
        $0.auth.serverAddress = own.serverAddress
      }
    }
    let answer: Runtime_V1_PullImageResponse = try await connection.call(.image("PullImage"), question, timeout: nil)
    try await body(.with { ($0.image.id, $0.image.references) = (answer.imageRef, [request.reference]) })
  }
}
