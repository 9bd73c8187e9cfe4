import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func listPodSandbox(_ request: Runtime_V1_ListPodSandboxRequest) throws -> EncodedMessage {
    var response = EncodedMessage()
    for entry in entries(try SandboxFilter(request.filter)) { response.append(field: 1, [entry.criListItem]) }
    return response
  }

  func streamPodSandboxes(_ request: Runtime_V1_StreamPodSandboxesRequest, _ writer: EncodedResponseWriter) async throws {
    try await Batches.send(entries(SandboxFilter(request.filter)), to: writer) { [$0.criListItem] }
  }
}
