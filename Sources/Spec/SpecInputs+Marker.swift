extension SpecInputs {
  /// `/run/.containerenv`. Not where /run is a volume: its mount point would be made there, and may be the host's own /run.
  func markerMounts(_ covered: Set<String>) -> [BindMount] {
    guard let file = pod.markerFile, covered.union(imageVolumes.keys.map(ContainerPath.clean)).isDisjoint(with: ["/run", "/var/run"]) else {
      return []
    }
    return [BindMount(destination: "/run/.containerenv", source: file, isReadonly: hasReadonlyRoot)]
  }
}
