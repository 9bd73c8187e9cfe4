import CRIAPI
import Core
import Engine

extension RuntimeService {
  func updateContainerResources(_ request: Runtime_V1_UpdateContainerResourcesRequest) async throws
    -> Runtime_V1_UpdateContainerResourcesResponse
  {
    guard !request.hasWindows else { throw Fault(.invalidArgument, "windows: this is Linux") }
    try await pods.updateContainer(request.containerID, request.linux, annotations: request.annotations)
    return .init()
  }
}
