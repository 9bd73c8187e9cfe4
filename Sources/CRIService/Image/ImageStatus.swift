import CRIAPI
import Engine
import SwiftProtobuf

extension ImageServiceSurface {
  /// An image that is not there is an empty answer, not an error (api.proto).
  /// `nil` where the image's configuration has to be read.
  func imageStatus(_ request: Runtime_V1_ImageStatusRequest) throws -> Runtime_V1_ImageStatusResponse? {
    guard !request.verbose else { return nil }
    guard let record = try images.find(request.image.image) else { return .init() }
    return .with { $0.image = criImage(record) }
  }

  func verboseImageStatus(_ request: Runtime_V1_ImageStatusRequest) throws -> Runtime_V1_ImageStatusResponse {
    guard let record = try images.find(request.image.image) else { return .init() }
    return .with {
      $0.image = criImage(record)
      $0.info = VerboseInfo(record, config: images.configuration(record)).map
    }
  }
}
