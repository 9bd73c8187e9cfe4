import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  /// Of a container that does not run: who it is and what it wrote.
  func containerStats(_ request: Runtime_V1_ContainerStatsRequest) async throws -> EncodedMessage {
    let entry = try ledger.findContainerEntry(request.containerID)
    var response = EncodedMessage()
    for usage in await stats.usage(of: [entry]) { response.append(field: 1, usage.encoded) }
    return response
  }
}
