import BerthAPI
import Core
import Engine
import GRPC
import SwiftProtobuf

extension BerthService {
  func importArchive(_ request: Berth_V1_ImportRequest, _ writer: GRPCResponseWriter<Berth_V1_ImportProgress>) async throws {
    guard request.path.hasPrefix("/") else { throw Fault(.invalidArgument, "path: \"\(request.path)\" is not absolute") }
    try await writer.open()
    let archive = try await archives(request.path)
    let records = try await stage("archive \(request.path)") {
      try await images.importAll(of: archive, name: request.name) { _ in }
    }
    for record in records { try await writer.write(.with { $0.image = record.imported }) }
  }
}
