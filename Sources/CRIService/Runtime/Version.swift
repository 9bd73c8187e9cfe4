import CRIAPI
import Core
import SwiftProtobuf

extension RuntimeService {
  /// The CRI's own version of this call is a fixed "0.1.0", which the kubelet checks.
  func version(_ request: Runtime_V1_VersionRequest) -> Runtime_V1_VersionResponse {
    .with {
      $0.version = "0.1.0"
      $0.runtimeName = "berth"
      $0.runtimeVersion = BerthVersion.current
      $0.runtimeApiVersion = "v1"
    }
  }
}
