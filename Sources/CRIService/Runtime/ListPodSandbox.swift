import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func listPodSandbox(_ request: Runtime_V1_ListPodSandboxRequest) throws -> EncodedMessage {
    EncodedMessage(field: 1, entries(try SandboxFilter(request.filter)).map { [$0.criListItem] })
  }

  func streamPodSandboxes(_ request: Runtime_V1_StreamPodSandboxesRequest, _ writer: EncodedResponseWriter) async throws {
    try await Batches.send(entries(SandboxFilter(request.filter)), to: writer) { [$0.criListItem] }
  }
}
