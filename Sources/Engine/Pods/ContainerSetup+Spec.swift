import CRIAPI
import Core
import Linux
import OCI
import Spec

/// What the container's spec is made from.
extension ContainerSetup {
  /// Mounts what must be there before the spec can name it, then makes the spec.
  func build(
    _ config: Runtime_V1_ContainerConfig, _ images: Images, _ found: [String: HostPath], _ rootfs: RootfsMount,
    _ labels: SELinuxLabels?, _ target: Int32?
  ) async throws -> BuiltSpec {
    var prepared = PreparedMounts()
    prepared.resolved = found.filter(\.value.exists).mapValues(\.resolved)
    prepared.hostFiles = Set(found.filter { $0.value.exists && !$0.value.isDirectory }.keys)
    prepared.images = try await mounts.mount(images.volumes, config, label: labels?.file)
    prepared.ownFiles = bundle
    prepared.mapped = mounts.mappedPaths(config)
    if let file = services.settings.defaultMountsFile {
      prepared.copies = try await DefaultMounts(file: file, owner: owner, paths: hostPaths).copy(below: bundle + "/copies", for: config)
    }
    try await prepareFIPS(&prepared, images.image.layers, config)
    let volumes = ImageVolumes(mounts: mounts, rootfs: rootfs, owner: owner)
    let imageVolumes = services.settings.ignoresImageVolumes ? [:] : try await volumes.make(images.config, images.image.layers, config)
    if let labels { try await relabel(Array(imageVolumes.values) + Array(prepared.copies.values), labels.file) }
    return try await spec(config, images.image, images.config, labels, target, prepared, imageVolumes)
  }

  private func spec(
    _ config: Runtime_V1_ContainerConfig, _ image: ImageRecord, _ imageConfig: ImageConfig, _ labels: SELinuxLabels?, _ target: Int32?,
    _ prepared: PreparedMounts, _ imageVolumes: [String: String]
  ) async throws -> BuiltSpec {
    let (layers, hostPaths) = (services.layers, hostPaths)
    var inputs = SpecInputs(
      id: id, container: try services.settings.adapted(config, in: sandbox), sandbox: sandbox.config.content, image: imageConfig,
      imageName: image.tags.first ?? "\(image.id)",
      pod: try podFacts(config, target), node: services.settings.node,
      lookups: Lookups(look: hostPaths.lookHere) { path in try layers.readFile(path, in: image.layers, limit: 8 << 20) })
    inputs.lookups.imagePlaces = { paths in try layers.places(paths, in: image.layers) }
    (inputs.labels, inputs.prepared, inputs.origin) = (labels, prepared, origin(image, config))
    if config.mounts.contains(where: \.recursiveReadOnly) || config.asksForCDI {
      let features = await services.settings.features(of: try runtime(for: imageConfig), handler: sandbox.runtimeHandler)
      inputs.node.hasRecursiveReadOnly = features.recursiveReadOnly
      (inputs.node.hasNetDevices, inputs.node.hasRDTSchemata) = (features.netDevices, features.rdtSchemata)
    }
    inputs.imageVolumes = imageVolumes
    try settle(&inputs, config)
    inputs.artifactProfile = try await SeccompArtifacts(services: services).find(for: inputs, of: image)
    let complete = inputs
    return try await BlockingWork.run { try makeSpec(complete) }
  }

  /// The namespaces and files that the pod's containers share, as this one asks for them.
  private func podFacts(_ config: Runtime_V1_ContainerConfig, _ target: Int32?) throws -> PodFacts {
    let (plan, files) = (sandbox.plan, SandboxFiles(sandbox.plan))
    var namespaces = try PodNamespaces(sandbox.config.content)
    namespaces.sharedPID = config.linux.securityContext.namespaceOptions.pid == .pod && plan.sharedPID
    namespaces.ownUTS = plan.ownUTS
    var pod = PodFacts(sandboxID: sandbox.id, holderPID: holderPID, namespaces: namespaces, networkNamespace: plan.netnsPath)
    if let maps = plan.idMaps { pod.userNamespace = UserNamespace(path: "/proc/\(holderPID)/ns/user", maps: maps) }
    pod.targetPIDNamespace = target.map { "/proc/\($0)/ns/pid" }
    (pod.resolvConfFile, pod.hostsFile, pod.hostnameFile) = (files.resolvConf, files.hosts, files.hostname)
    (pod.shm, pod.shmSize) = (files.shm, plan.shmSize ?? SharedMemory.standard)
    pod.markerFile = services.settings.marksContainers ? files.marker : nil
    return pod
  }

  /// What the node's settings say for containers of this handler.
  private func settle(_ inputs: inout SpecInputs, _ config: Runtime_V1_ContainerConfig) throws {
    let (settings, pod) = (services.settings, sandbox.config.content)
    inputs.handler = settings.facts(of: sandbox.runtimeHandler)
    inputs.allowed = settings.allowed(sandbox)
    inputs.seccompSocket = seccompLink.socket
    inputs.execProcessor = try settings.execProcessor(settings.withWorkload(config, in: pod), in: sandbox)
    inputs.passedAnnotations =
      settings.annotations[sandbox.runtimeHandler]?.passed(pod: pod.annotations, container: config.annotations) ?? [:]
  }

  private func origin(_ image: ImageRecord, _ config: Runtime_V1_ContainerConfig) -> SpecOrigin {
    var origin = SpecOrigin()
    (origin.imageID, origin.logPath, origin.rootfs) = ("\(image.id)", logPath(config), bundle + "/rootfs")
    (origin.runtimeHandler, origin.addresses) = (sandbox.runtimeHandler, sandbox.addresses)
    origin.createdAt = SystemClock.realtimeNanoseconds()
    return origin
  }
}
