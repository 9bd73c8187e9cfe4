import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func listPodSandboxStats(_ request: Runtime_V1_ListPodSandboxStatsRequest) async throws -> EncodedMessage {
    var response = EncodedMessage()
    for usage in await stats.usage(of: entries(SandboxFilter(request.filter))) { response.append(field: 1, usage.encoded) }
    return response
  }

  func streamPodSandboxStats(_ request: Runtime_V1_StreamPodSandboxStatsRequest, _ writer: EncodedResponseWriter) async throws {
    let entries = entries(SandboxFilter(request.filter))
    try await Batches.sendUsage(entries, to: writer) { await stats.usage(of: $0).map(\.encoded) }
  }
}
