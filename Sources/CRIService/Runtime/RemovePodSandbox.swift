import CRIAPI
import Engine

extension RuntimeService {
  func removePodSandbox(_ request: Runtime_V1_RemovePodSandboxRequest) async throws -> Runtime_V1_RemovePodSandboxResponse {
    try await pods.removeSandbox(request.podSandboxID)
    return .init()
  }
}
