import BerthAPI
import CRIAPI
import SwiftProtobuf

/// What only Berth offers.
extension Runtime {
  func verifyImages(_ request: Berth_V1_VerifyImagesRequest, _ body: (Berth_V1_VerifiedImage) async throws -> Void) async throws {
    try await connection.stream(.berth("VerifyImages"), request, body)
  }

  func push(_ request: Berth_V1_PushRequest, _ body: (Berth_V1_PushProgress) async throws -> Void) async throws {
    try await connection.stream(.berth("Push"), request, body)
  }

  func export(_ request: Berth_V1_ExportRequest, _ body: (Berth_V1_ExportChunk) async throws -> Void) async throws {
    try await connection.stream(.berth("Export"), request, body)
  }

  func tagImage(_ request: Berth_V1_TagImageRequest) async throws -> Berth_V1_TagImageResponse {
    try await connection.call(.berth("TagImage"), request, timeout: Self.patience)
  }

  func pruneImages(_ request: Berth_V1_PruneImagesRequest) async throws -> Berth_V1_PruneImagesResponse {
    try await connection.call(.berth("PruneImages"), request, timeout: nil)
  }

  func diskUsage() async throws -> Berth_V1_DiskUsageResponse {
    try await connection.call(.berth("DiskUsage"), Berth_V1_DiskUsageRequest(), timeout: nil)
  }

  func pulls() async throws -> Berth_V1_ListPullsResponse {
    try await connection.call(.berth("ListPulls"), Berth_V1_ListPullsRequest(), timeout: Self.patience)
  }

  func referrers(_ request: Berth_V1_ListReferrersRequest) async throws -> Berth_V1_ListReferrersResponse {
    try await connection.call(.berth("ListReferrers"), request, timeout: nil)
  }

  func namespaces() async throws -> Berth_V1_ListNamespacesResponse {
    try await connection.call(.berth("ListNamespaces"), Berth_V1_ListNamespacesRequest(), timeout: Self.patience)
  }

  func explainRegistry(_ request: Berth_V1_ExplainRegistryRequest) async throws -> Berth_V1_ExplainRegistryResponse {
    try await connection.call(.berth("ExplainRegistry"), request, timeout: nil)
  }

  /// With all that berthd knows; nil where the image is not on this node.
  func imageStatus(_ reference: String) async throws -> Runtime_V1_ImageStatusResponse? {
    let request = Runtime_V1_ImageStatusRequest.with {
      $0.image.image = reference
      $0.verbose = true
    }
    let answer: Runtime_V1_ImageStatusResponse = try await connection.call(.image("ImageStatus"), request, timeout: Self.patience)
    return answer.hasImage ? answer : nil
  }
}
