import CRIAPI
import Engine
import Spec
import SwiftProtobuf

extension RuntimeService {
  /// Tells the kubelet which cgroup driver to use; both have to name the same.
  func runtimeConfig(_ request: Runtime_V1_RuntimeConfigRequest) -> Runtime_V1_RuntimeConfigResponse {
    .with { $0.linux = .with { $0.cgroupDriver = node.facts.cgroupDriver == .systemd ? .systemd : .cgroupfs } }
  }
}
