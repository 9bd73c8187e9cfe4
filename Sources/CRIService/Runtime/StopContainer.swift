import CRIAPI
import Core
import Engine

extension RuntimeService {
  func stopContainer(_ request: Runtime_V1_StopContainerRequest) async throws -> Runtime_V1_StopContainerResponse {
    guard request.timeout >= 0 else { throw Fault(.invalidArgument, "timeout: \(request.timeout) is negative") }
    try await pods.stopContainer(request.containerID, timeout: request.timeout)
    return .init()
  }
}
