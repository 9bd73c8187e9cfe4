import BerthAPI
import Core
import Engine
import SwiftProtobuf

extension BerthService {
  func attach(_ request: Berth_V1_AttachRequest) async throws -> Berth_V1_AttachResponse {
    let (session, streams) = try await pods.attachRequest(
      request.containerID, input: request.stdin, output: !request.noOutput, tail: Int(clamping: request.tail))
    return try .with {
      $0.url = try streaming.url(for: session)
      ($0.stdin, $0.tty) = (streams.stdin, streams.terminal)
    }
  }
}
