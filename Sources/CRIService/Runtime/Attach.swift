import CRIAPI
import Core
import Engine
import SwiftProtobuf

extension RuntimeService {
  /// Answers where the session is to be had; it begins when a client comes there.
  func attach(_ request: Runtime_V1_AttachRequest) async throws -> Runtime_V1_AttachResponse {
    let streams = CommandStreams(stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, terminal: request.tty)
    let session = try await pods.attachRequest(request.containerID, streams)
    return try .with { $0.url = try streaming.url(for: session) }
  }
}
