import CRIAPI
import Core
import Engine
import SwiftProtobuf

extension RuntimeService {
  /// Answers where the session is to be had; it begins when a client comes there.
  func exec(_ request: Runtime_V1_ExecRequest) async throws -> Runtime_V1_ExecResponse {
    let streams = CommandStreams(stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, terminal: request.tty)
    let session = try await pods.execRequest(request.containerID, command: request.cmd, streams)
    return try .with { $0.url = try streaming.url(for: session) }
  }
}
