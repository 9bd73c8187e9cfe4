import CRIAPI
import Engine
import SwiftProtobuf

extension RuntimeService {
  func createContainer(_ request: Runtime_V1_CreateContainerRequest) async throws -> Runtime_V1_CreateContainerResponse {
    let id = try await pods.createContainer(sandbox: request.podSandboxID, config: request.config)
    return .with { $0.containerID = id }
  }
}
