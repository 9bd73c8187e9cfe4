import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func listPodSandboxStats(_ request: Runtime_V1_ListPodSandboxStatsRequest) async throws -> EncodedMessage {
    EncodedMessage(field: 1, await stats.usage(of: entries(SandboxFilter(request.filter))).map(\.encoded))
  }

  func streamPodSandboxStats(_ request: Runtime_V1_StreamPodSandboxStatsRequest, _ writer: EncodedResponseWriter) async throws {
    let entries = entries(SandboxFilter(request.filter))
    try await Batches.sendUsage(entries, to: writer) { await stats.usage(of: $0).map(\.encoded) }
  }
}
