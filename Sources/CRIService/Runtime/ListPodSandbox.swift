import CRIAPI
import Engine
import GRPC

extension RuntimeService {
  func listPodSandbox(_ request: Runtime_V1_ListPodSandboxRequest) throws -> EncodedMessage {
    guard request.filter == .init() else { return EncodedMessage(field: 1, entries(try SandboxFilter(request.filter)).map(\.criListItem)) }
    let view = ledger.sandboxView()
    return allSandboxes.message(view) { EncodedMessage(field: 1, view.entries.filter { $0.record.state != .creating }.map(\.criListItem)) }
  }

  func streamPodSandboxes(_ request: Runtime_V1_StreamPodSandboxesRequest, _ writer: EncodedResponseWriter) async throws {
    try await Batches.send(entries(SandboxFilter(request.filter)), to: writer) { [$0.criListItem] }
  }
}
