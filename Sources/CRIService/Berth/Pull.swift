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
    let record = try await LayerReports.during(progress) { report in
      try await writer.write(Berth_V1_PullProgress(report))
    } _: {
      try await images.pull(request.reference, credentials: credentials, progress: progress)
    }
    try await writer.write(.with { $0.image = record.imported })
  }
}

extension Berth_V1_PullProgress {
  fileprivate init(_ report: LayerReports.Report) {
    self.init()
    switch report {
    case .resolved(let resolved): self.resolved = resolved
    case .layer(let layer): self.layer = layer
    }
  }
}
