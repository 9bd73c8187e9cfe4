import BerthAPI
import Core
import Engine
import GRPC
import SwiftProtobuf

extension BerthService {
  func pull(_ request: Berth_V1_PullRequest, _ writer: GRPCResponseWriter<Berth_V1_PullProgress>) async throws {
    guard !request.reference.isEmpty else { throw Fault(.invalidArgument, "reference: the name is empty") }
    var credentials: RegistryCredentials?
    if !request.username.isEmpty {
      credentials = RegistryCredentials()
      credentials?.username = request.username
      credentials?.password = request.password
    }
    try await writer.open()
    let progress = PullProgress()
    let reporter = Task { try await LayerReports.follow(progress) { layer in try await writer.write(.with { $0.layer = layer }) } }
    defer { reporter.cancel() }
    let record = try await images.pull(request.reference, credentials: credentials, progress: progress)
    reporter.cancel()
    _ = try? await reporter.value
    try await LayerReports.last(progress) { layer in try await writer.write(.with { $0.layer = layer }) }
    try await writer.write(.with { $0.image = record.imported })
  }
}
