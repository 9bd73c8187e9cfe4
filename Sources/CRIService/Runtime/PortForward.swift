import CRIAPI
import Core
import Engine
import SwiftProtobuf

extension RuntimeService {
  /// Answers where the session is to be had; it begins when a client comes there.
  func portForward(_ request: Runtime_V1_PortForwardRequest) throws -> Runtime_V1_PortForwardResponse {
    let session = try pods.portForwardRequest(request.podSandboxID, ports: request.port)
    return try .with { $0.url = try streaming.url(for: session) }
  }
}
