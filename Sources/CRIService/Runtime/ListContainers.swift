import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func listContainers(_ request: Runtime_V1_ListContainersRequest) throws -> EncodedMessage {
    EncodedMessage(field: 1, entries(try ContainerFilter(request.filter)).map { [$0.criListItem] })
  }

  func streamContainers(_ request: Runtime_V1_StreamContainersRequest, _ writer: EncodedResponseWriter) async throws {
    try await Batches.send(entries(ContainerFilter(request.filter)), to: writer) { [$0.criListItem] }
  }
}
