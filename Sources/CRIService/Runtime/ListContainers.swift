import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func listContainers(_ request: Runtime_V1_ListContainersRequest) throws -> EncodedMessage {
    guard request.filter == .init() else {
      return EncodedMessage(field: 1, entries(try ContainerFilter(request.filter)).map(\.criListItem))
    }
    let view = ledger.containerView()
    return allContainers.message(view) { EncodedMessage(field: 1, view.entries.map(\.criListItem)) }
  }

  func streamContainers(_ request: Runtime_V1_StreamContainersRequest, _ writer: EncodedResponseWriter) async throws {
    try await Batches.send(entries(ContainerFilter(request.filter)), to: writer) { [$0.criListItem] }
  }
}
