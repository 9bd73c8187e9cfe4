import CRIAPI
import SwiftProtobuf

/// What a full config has where the pod owns its namespaces.
extension FullConfigs {
  private static let ranges: [Runtime_V1_IDMapping] = [
    .with { ($0.hostID, $0.length) = (200_000, 1000) },
    .with { ($0.containerID, $0.hostID, $0.length) = (1000, 300_000, 64536) },
  ]

  private static func own(_ options: Runtime_V1_NamespaceOption) -> Runtime_V1_NamespaceOption {
    var options = options
    options.network = .pod
    options.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, ranges, ranges) }
    return options
  }

  static func own(_ host: Runtime_V1_PodSandboxConfig) -> Runtime_V1_PodSandboxConfig {
    var config = host
    config.metadata.name = "own"
    config.portMappings = [
      .with { ($0.protocol, $0.containerPort, $0.hostPort, $0.hostIp) = (.udp, 53, 10053, "127.0.0.1") },
      .with { ($0.containerPort, $0.hostPort) = (80, 10080) },
    ]
    config.linux.sysctls["net.ipv4.ip_unprivileged_port_start"] = "1"
    config.linux.securityContext.namespaceOptions = own(host.linux.securityContext.namespaceOptions)
    return config
  }

  static func own(_ host: Runtime_V1_ContainerConfig) -> Runtime_V1_ContainerConfig {
    var config = host
    for index in config.mounts.indices where !config.mounts[index].uidMappings.isEmpty {
      (config.mounts[index].uidMappings, config.mounts[index].gidMappings) = (ranges, ranges)
    }
    config.linux.securityContext.namespaceOptions = own(host.linux.securityContext.namespaceOptions)
    return config
  }
}
