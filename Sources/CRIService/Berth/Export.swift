import BerthAPI
import Core
import Engine
import GRPC
import SwiftProtobuf

import struct FoundationEssentials.Data

extension BerthService {
  /// Small enough for any limit on messages.
  private static var piece: Int { 1 << 20 }

  func export(_ request: Berth_V1_ExportRequest, _ writer: GRPCResponseWriter<Berth_V1_ExportChunk>) async throws {
    let choice = try PlatformChoice(request.platform, all: request.allPlatforms, otherwise: .pulled)
    try await writer.open()
    try await images.export(request.images, choice, packer: packer) { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let data = Data(rest.prefix(Self.piece))
        rest = rest.dropFirst(Self.piece)
        try await writer.write(.with { $0.data = data })
      }
    }
  }
}
