import CRIAPI
import Engine

extension ImageServiceSurface {
  func removeImage(_ request: Runtime_V1_RemoveImageRequest) async throws -> Runtime_V1_RemoveImageResponse {
    try await images.remove(request.image.image)
    return .init()
  }
}
