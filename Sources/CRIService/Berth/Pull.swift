import BerthAPI
import Core
import Engine
import GRPC
import SwiftProtobuf

extension BerthService {
  func pull(_ request: Berth_V1_PullRequest, _ writer: GRPCResponseWriter<Berth_V1_PullProgress>) async throws {
    guard !request.reference.isEmpty else { throw Fault(.invalidArgument, "reference: the name is empty") }
    let credentials = RegistryCredentials(request.credentials, username: request.username, password: request.password)
    try await writer.open()
    let progress = PullProgress()
    let reporter = Task {
      try await LayerReports.follow(progress) { resolved in
        try await writer.write(.with { $0.resolved = resolved })
      } _: { layer in
        try await writer.write(.with { $0.layer = layer })
      }
    }
    defer { reporter.cancel() }
    let record = try await images.pull(request.reference, credentials: credentials, progress: progress)
    reporter.cancel()
    let isResolved = (try? await reporter.value) == true
    if !isResolved, let resolved = LayerReports.resolved(progress) { try await writer.write(.with { $0.resolved = resolved }) }
    try await LayerReports.last(progress) { layer in try await writer.write(.with { $0.layer = layer }) }
    try await writer.write(.with { $0.image = record.imported })
  }
}
