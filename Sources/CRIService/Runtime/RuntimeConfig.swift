import CRIAPI
import SwiftProtobuf

extension RuntimeService {
  /// Tells the kubelet which cgroup driver to use; Berth takes cgroupfs paths.
  func runtimeConfig(_ request: Runtime_V1_RuntimeConfigRequest) -> Runtime_V1_RuntimeConfigResponse {
    .with { $0.linux = .with { $0.cgroupDriver = .cgroupfs } }
  }
}
