import CRIAPI
import Engine

extension RuntimeService {
  func updatePodSandboxResources(_ request: Runtime_V1_UpdatePodSandboxResourcesRequest) async throws
    -> Runtime_V1_UpdatePodSandboxResourcesResponse
  {
    try await pods.updateSandbox(
      request.podSandboxID, overhead: request.hasOverhead ? request.overhead : nil,
      resources: request.hasResources ? request.resources : nil)
    return .init()
  }
}
