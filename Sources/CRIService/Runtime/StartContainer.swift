import CRIAPI
import Engine

extension RuntimeService {
  func startContainer(_ request: Runtime_V1_StartContainerRequest) async throws -> Runtime_V1_StartContainerResponse {
    try await pods.startContainer(request.containerID)
    return .init()
  }
}
