package import CRIAPI

// Kubelets try again under the same name and attempt when a call took too long, and no two of their requests are equal byte by byte.

extension Runtime_V1_PodSandboxConfig {
  /// What has to be equal in a retry: all but labels and annotations, which anybody may change while the sandbox is made, and the order of what has none.
  package var retried: Self {
    var config = self
    (config.labels, config.annotations) = ([:], [:])
    config.linux.securityContext.supplementalGroups.sort()
    return config
  }
}

extension Runtime_V1_ContainerConfig {
  /// As of the sandbox; also without the name of the termination log, of which kubelets make another one for each try (ContainerStatus says which is mounted).
  package var retried: Self {
    var config = self
    (config.labels, config.annotations) = ([:], [:])
    config.envs = envs.sortedStably(by: \.key)
    for index in mounts.indices { config.mounts[index].hostPath = withoutTry(mounts[index].hostPath) }
    config.mounts = config.mounts.sortedStably(by: \.containerPath)
    config.devices = devices.sortedStably(by: \.containerPath)
    config.cdiDevices = cdiDevices.sortedStably(by: \.name)
    config.linux.resources.hugepageLimits = linux.resources.hugepageLimits.sortedStably(by: \.pageSize)
    config.linux.securityContext.supplementalGroups.sort()
    return config
  }

  /// The directory of `…/containers/NAME/0badcafe`, eight hexadecimal digits of chance; any other path as it is.
  private func withoutTry(_ path: String) -> String {
    let (directory, name) = ("/containers/\(metadata.name)/", path.suffix(8))
    guard name.utf8.count == 8, name.allSatisfy(\.isHexDigit), path.dropLast(8).hasSuffix(directory) else { return path }
    return String(path.dropLast(8))
  }
}

extension Array {
  /// Equal keys stay in their order: of two variables of one name the last counts.
  fileprivate func sortedStably<Key: Comparable>(by key: KeyPath<Element, Key>) -> [Element] {
    enumerated().sorted { ($0.element[keyPath: key], $0.offset) < ($1.element[keyPath: key], $1.offset) }.map(\.element)
  }
}
