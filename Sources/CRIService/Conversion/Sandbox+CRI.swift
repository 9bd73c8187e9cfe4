import CRIAPI
import Engine
import SwiftProtobuf

extension SandboxRecord {
  var criState: Runtime_V1_PodSandboxState { state == .ready ? .sandboxReady : .sandboxNotready }

  var criListItem: Runtime_V1_PodSandbox {
    .with {
      $0.id = id
      $0.metadata = config.content.metadata
      $0.state = criState
      $0.createdAt = createdAt
      $0.labels = config.content.labels
      $0.annotations = config.content.annotations
      $0.runtimeHandler = runtimeHandler
    }
  }

  var criStatus: Runtime_V1_PodSandboxStatus {
    .with {
      $0.id = id
      $0.metadata = config.content.metadata
      $0.state = criState
      $0.createdAt = createdAt
      $0.labels = config.content.labels
      $0.annotations = config.content.annotations
      $0.runtimeHandler = runtimeHandler
      $0.linux = .with { $0.namespaces = .with { $0.options = config.content.linux.securityContext.namespaceOptions } }
      $0.network = network
    }
  }

  /// A pod on the host's network has no address of its own; the kubelet fills in the node's.
  private var network: Runtime_V1_PodSandboxNetworkStatus {
    .with { status in
      guard state == .ready else { return }
      status.ip = addresses.first ?? ""
      status.additionalIps = addresses.dropFirst().map { address in .with { $0.ip = address } }
    }
  }
}
