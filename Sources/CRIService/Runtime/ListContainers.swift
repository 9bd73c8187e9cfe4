import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func listContainers(_ request: Runtime_V1_ListContainersRequest) throws -> EncodedMessage {
    var response = EncodedMessage()
    for entry in entries(try ContainerFilter(request.filter)) { response.append(field: 1, [entry.criListItem]) }
    return response
  }

  func streamContainers(_ request: Runtime_V1_StreamContainersRequest, _ writer: EncodedResponseWriter) async throws {
    try await Batches.send(entries(ContainerFilter(request.filter)), to: writer) { [$0.criListItem] }
  }
}
