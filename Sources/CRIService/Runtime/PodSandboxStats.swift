import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func podSandboxStats(_ request: Runtime_V1_PodSandboxStatsRequest) async throws -> EncodedMessage {
    let entry = try ledger.findSandboxEntry(request.podSandboxID)
    var response = EncodedMessage()
    for usage in await stats.usage(of: [entry]) { response.append(field: 1, usage.encoded) }
    return response
  }
}
