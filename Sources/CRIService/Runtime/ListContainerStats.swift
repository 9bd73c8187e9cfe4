import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func listContainerStats(_ request: Runtime_V1_ListContainerStatsRequest) async throws -> EncodedMessage {
    EncodedMessage(field: 1, await stats.usage(of: entries(ContainerFilter(request.filter))).map(\.encoded))
  }

  func streamContainerStats(_ request: Runtime_V1_StreamContainerStatsRequest, _ writer: EncodedResponseWriter) async throws {
    let entries = entries(ContainerFilter(request.filter))
    try await Batches.sendUsage(entries, to: writer) { await stats.usage(of: $0).map(\.encoded) }
  }
}
