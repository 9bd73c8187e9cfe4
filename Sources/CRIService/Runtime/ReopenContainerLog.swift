import CRIAPI
import Engine

extension RuntimeService {
  func reopenContainerLog(_ request: Runtime_V1_ReopenContainerLogRequest) async throws -> Runtime_V1_ReopenContainerLogResponse {
    try await pods.reopenLog(request.containerID)
    return .init()
  }
}
