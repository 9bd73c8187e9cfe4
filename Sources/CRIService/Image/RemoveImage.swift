import CRIAPI
import Engine

extension ImageServiceSurface {
  func removeImage(_ request: Runtime_V1_RemoveImageRequest) throws -> Runtime_V1_RemoveImageResponse {
    try images.remove(request.image.image)
    return .init()
  }
}
