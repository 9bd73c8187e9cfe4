import CRIAPI
import Core
import Engine
import FoundationEssentials
import SwiftProtobuf

extension RuntimeService {
  func execSync(_ request: Runtime_V1_ExecSyncRequest) async throws -> Runtime_V1_ExecSyncResponse {
    let result = try await pods.execSync(request.containerID, command: request.cmd, timeout: request.timeout)
    return .with {
      $0.stdout = Data(result.stdout)
      $0.stderr = Data(result.stderr)
      $0.exitCode = result.exitCode
    }
  }
}
