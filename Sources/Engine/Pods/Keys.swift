package import CRIAPI
import Core

/// What makes a pod sandbox the same one when a request is sent again.
package struct SandboxKey: Hashable, Sendable {
  package let namespace: String
  package let name: String
  package let uid: String
  package let attempt: UInt32

  package init(_ metadata: Runtime_V1_PodSandboxMetadata) {
    namespace = metadata.namespace
    name = metadata.name
    uid = metadata.uid
    attempt = metadata.attempt
  }
}

package struct SandboxRequest: Equatable, Sendable {
  package let config: Runtime_V1_PodSandboxConfig
  package let runtimeHandler: String

  package init(config: Runtime_V1_PodSandboxConfig, runtimeHandler: String) {
    self.config = config
    self.runtimeHandler = runtimeHandler
  }

  /// Whether one is a retry of the other.
  package static func == (one: Self, other: Self) -> Bool {
    one.runtimeHandler == other.runtimeHandler && one.config.retried == other.config.retried
  }

  /// What keeps `other` from being one.
  func difference(to other: Self) -> String {
    if runtimeHandler != other.runtimeHandler { return "runtime_handler (\(runtimeHandler) is now \(other.runtimeHandler))" }
    return Difference.describe(config.retried, other.config.retried)
  }
}

/// What makes a container of a pod the same one when a request is sent again.
package struct ContainerKey: Hashable, Sendable {
  package let name: String
  package let attempt: UInt32

  package init(_ metadata: Runtime_V1_ContainerMetadata) {
    name = metadata.name
    attempt = metadata.attempt
  }
}

package struct ContainerRequest: Equatable, Sendable {
  package let config: Runtime_V1_ContainerConfig

  package init(config: Runtime_V1_ContainerConfig) { self.config = config }

  /// Whether one is a retry of the other.
  package static func == (one: Self, other: Self) -> Bool { one.config.retried == other.config.retried }

  /// What keeps `other` from being one.
  func difference(to other: Self) -> String { Difference.describe(config.retried, other.config.retried) }
}
