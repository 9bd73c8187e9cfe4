import BerthAPI
import Core
import Engine
import GRPC
import OCI
import SwiftProtobuf

extension BerthService {
  func tagImage(_ request: Berth_V1_TagImageRequest) async throws -> Berth_V1_TagImageResponse {
    let reference = try await images.tag(request.image, as: request.tag)
    return .with { $0.reference = "\(reference)" }
  }

  func pruneImages(_ request: Berth_V1_PruneImagesRequest) async throws -> Berth_V1_PruneImagesResponse {
    let pruned = try await images.prune(dryRun: request.dryRun)
    return .with {
      $0.images = pruned.map { one in
        .with {
          $0.id = one.image.id.description
          $0.references = one.image.tags + one.image.digests
          $0.bytes = UInt64(clamping: one.bytes)
        }
      }
    }
  }

  func diskUsage(_ request: Berth_V1_DiskUsageRequest) async throws -> Berth_V1_DiskUsageResponse {
    let figures = usage.figures()
    let shares = try images.shares()
    let content = try images.contentBytes()
    return .with {
      $0.images = shares.map(\.message)
      $0.layerBytes = UInt64(clamping: figures.layers.bytes)
      $0.layerInodes = UInt64(clamping: figures.layers.inodes)
      $0.contentBytes = UInt64(clamping: content)
      $0.snapshotBytes = UInt64(clamping: figures.containers.bytes)
    }
  }
}

extension ImageShare {
  fileprivate var message: Berth_V1_ImageUsage {
    .with {
      $0.id = image.id.description
      $0.references = image.tags + image.digests
      $0.bytes = UInt64(clamping: bytes)
      $0.sharedBytes = UInt64(clamping: shared)
      $0.containers = UInt32(containers)
    }
  }
}
