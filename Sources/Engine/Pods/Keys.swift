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
}
