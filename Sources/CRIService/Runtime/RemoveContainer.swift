import CRIAPI
import Engine

extension RuntimeService {
  func removeContainer(_ request: Runtime_V1_RemoveContainerRequest) async throws -> Runtime_V1_RemoveContainerResponse {
    try await pods.removeContainer(request.containerID)
    return .init()
  }
}
