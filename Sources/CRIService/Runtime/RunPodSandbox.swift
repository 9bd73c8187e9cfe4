import CRIAPI
import Engine
import SwiftProtobuf

extension RuntimeService {
  func runPodSandbox(_ request: Runtime_V1_RunPodSandboxRequest) async throws -> Runtime_V1_RunPodSandboxResponse {
    let id = try await pods.run(SandboxRequest(config: request.config, runtimeHandler: request.runtimeHandler))
    return .with { $0.podSandboxID = id }
  }
}
