import CRIAPI
import Engine
import GRPC
import SwiftProtobuf

extension ImageServiceSurface {
  /// An image that is not there is an empty answer, not an error (api.proto). `nil` where the image's configuration has to be read.
  func imageStatus(_ request: Runtime_V1_ImageStatusRequest) throws -> EncodedMessage? {
    guard !request.verbose else { return nil }
    guard let record = try images.find(request.image.image) else { return EncodedMessage() }
    return EncodedMessage(field: 1, [Wire.encode(criImage(record))])
  }

  func verboseImageStatus(_ request: Runtime_V1_ImageStatusRequest) throws -> EncodedMessage {
    guard let record = try images.find(request.image.image) else { return EncodedMessage() }
    var response = Runtime_V1_ImageStatusResponse()
    response.image = criImage(record)
    response.info = VerboseInfo(record, config: images.configuration(record)).map
    return try EncodedMessage(response)
  }
}
