import CRIAPI
import Core
import Engine
import SwiftProtobuf

extension ImageServiceSurface {
  func imageFsInfo(_ request: Runtime_V1_ImageFsInfoRequest) -> Runtime_V1_ImageFsInfoResponse {
    let figures = usage.figures()
    return .with {
      $0.imageFilesystems = [filesystem(figures.imagePath, figures.images, figures.at)]
      $0.containerFilesystems = [filesystem(figures.containerPath, figures.containers, figures.at)]
    }
  }

  private func filesystem(_ path: String, _ usage: DiskUsage, _ at: Int64) -> Runtime_V1_FilesystemUsage {
    .with {
      $0.timestamp = at
      $0.fsID = .with { $0.mountpoint = path }
      $0.usedBytes = .with { $0.value = UInt64(clamping: usage.bytes) }
      $0.inodesUsed = .with { $0.value = UInt64(clamping: usage.inodes) }
    }
  }
}
