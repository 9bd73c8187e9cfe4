package import CRIAPI
import Core
package enum Validation {
  package static func check(sandbox: Runtime_V1_PodSandboxConfig) throws {}
  package static func check(container: Runtime_V1_ContainerConfig) throws {}
}
package enum ResolvConf { package static func text(_ dns: Runtime_V1_DNSConfig) -> String { "" } }
package struct RuntimeSpec: Codable, Sendable { package struct Process: Codable, Sendable {}; package var process: Process }
package enum ExecProcess { package static func make(base: RuntimeSpec.Process, command: [String], terminal: Bool) -> RuntimeSpec.Process { base } }
