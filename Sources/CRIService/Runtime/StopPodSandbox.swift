import CRIAPI
import Engine

extension RuntimeService {
  func stopPodSandbox(_ request: Runtime_V1_StopPodSandboxRequest) async throws -> Runtime_V1_StopPodSandboxResponse {
    try await pods.stopSandbox(request.podSandboxID)
    return .init()
  }
}
