import CRIAPI
import Core
import Linux
import Logging
import OCI
import Spec

/// The stages of making a container, in order, each with its undo: image, snapshot, spec, bundle.
struct ContainerSetup: Sendable {
  let services: PodServices
  let sandbox: SandboxRecord
  let holderPID: Int32
  let id: String

  private var passwdFile: String { bundle + "/passwd" }
  var bundle: String { "\(sandbox.plan.directory)/containers/\(id)" }

  /// The handler's OCI runtime for images of this platform.
  private func runtime(for image: ImageConfig) throws -> String {
    let platform = Platform(os: image.os, architecture: image.architecture, variant: image.variant).normalized
    if let path = services.settings.platformRuntimes[sandbox.runtimeHandler]?.runtime(for: platform) {
      guard Files.isExecutable(path) else {
        throw Fault(.failedPrecondition, "platform_runtime_paths: \(path), for images of \(platform), is no executable file")
      }
      return path
    }
    return services.settings.runtimes[sandbox.runtimeHandler] ?? ""
  }
  private var seccompLink: SeccompLink { SeccompLink(state: services.settings.state, container: id) }
  var mounts: ContainerMounts { ContainerMounts(services: services, sandbox: sandbox, bundle: bundle) }

  /// The pod's root, as the host sees it.
  private var owner: FileOwner { sandbox.plan.idMaps?.owner(.root) ?? .root }

  var hostPaths: HostPaths { HostPaths(limit: services.settings.hostPathLimit) }

  /// The images that a container is made of.
  private struct Images {
    let image: ImageRecord
    let config: ImageConfig
    /// By the index of the mount that names it.
    let volumes: [Int: ImageRecord]

    var layers: [LayerID] { image.layers + volumes.values.flatMap(\.layers) }
  }

  func run(_ asked: Runtime_V1_ContainerConfig, target: Int32?, _ rollback: inout Rollback) async throws -> ContainerRecord {
    let config = try await stage("mounts") { try await seenFromHere(asked) }
    let image = try findImage(config.image)
    let images = Images(image: image, config: try imageConfig(image), volumes: try mounts.findImages(config))
    services.garbage.hold(images.layers)
    defer { services.garbage.release(images.layers) }
    try await traced("container.image") { try await admit(images, config) }
    let log = logPath(config)
    let found = try await stage("mounts") {
      try await timed(.mounts) {
        try await traced("container.host_paths") {
          try await lookAtCDI(config)
          return try await hostPaths.look(config, Files.parent(of: log))
        }
      }
    }
    try await makeLogDirectory(log, found)
    let labels = try services.settings.node.labels(
      config.linux.securityContext, try labelKind(config, images.config), in: sandbox.plan.labels)
    let rootfs = try await timed(.snapshot) {
      try await traced("snapshot.prepare", ["berth.layers": .int(Int64(image.layers.count))]) {
        try await makeSnapshot(image.layers, labels, &rollback)
      }
    }
    try makeBundle(&rollback)
    let built = try await timed(.spec) {
      try await traced("container.spec") { try await build(config, images, found, rootfs, labels, target) }
    }
    try await traced("container.mounts") { try await finish(config, built, found) }
    return try record(asked, images, built, rootfs)
  }

  private func timed<T>(_ stage: Stages.ContainerStage, _ body: () async throws -> T) async throws -> T {
    try await services.stages.container(stage, services.settings.handlerName(sandbox.runtimeHandler), body)
  }

  private func makeSnapshot(_ layers: [LayerID], _ labels: SELinuxLabels?, _ rollback: inout Rollback) async throws -> RootfsMount {
    let (snapshots, id) = (services.snapshots, id)
    rollback.add("snapshot") { try await snapshots.remove(id) }
    return try await stage("snapshot") {
      let rootfs = try await prepare(layers)
      if services.settings.linksMountTable { try MountTableLink(rootfs: rootfs).place() }
      return try await label(rootfs, labels)
    }
  }

  /// Mounts what must be there before the spec can name it, then makes the spec.
  private func build(
    _ config: Runtime_V1_ContainerConfig, _ images: Images, _ found: [String: HostPath], _ rootfs: RootfsMount,
    _ labels: SELinuxLabels?, _ target: Int32?
  ) async throws -> BuiltSpec {
    var prepared = PreparedMounts()
    prepared.resolved = found.filter(\.value.exists).mapValues(\.resolved)
    prepared.images = try await mounts.mount(images.volumes, config, label: labels?.file)
    prepared.passwdFile = passwdFile
    prepared.mapped = mounts.mappedPaths(config)
    if let file = services.settings.defaultMountsFile {
      prepared.copies = try await DefaultMounts(file: file, owner: owner).copy(below: bundle + "/copies", for: config)
    }
    try await prepareFIPS(&prepared, images.image.layers, config)
    let volumes = ImageVolumes(mounts: mounts, rootfs: rootfs, owner: owner)
    let imageVolumes = services.settings.ignoresImageVolumes ? [:] : try await volumes.make(images.config, images.image.layers, config)
    if let labels { try await relabel(Array(imageVolumes.values) + Array(prepared.copies.values), labels.file) }
    return try await spec(config, images.image, images.config, labels, target, prepared, imageVolumes)
  }

  /// What the spec speaks of and is not there yet, then the spec itself.
  private func finish(_ config: Runtime_V1_ContainerConfig, _ built: BuiltSpec, _ found: [String: HostPath]) async throws {
    let built = try await stage("mounts") {
      let missing = built.hostPaths.filter { found[$0]?.exists != true }
      try checkSources(missing)
      try await hostPaths.make(missing)
      try await relabelVolumes(config, built, found)
      try await mounts.map(config, found)
      return try await mounts.makeDevices(mounts.mapHostFiles(built))
    }
    try stage("bundle") { try Files.write(built.spec.encoded, to: bundle + "/config.json") }
    if let notifier = built.notifier {
      try stage("seccomp notifier") {
        try BlockedCalls(bundle: bundle).write(notifier.calls)
        try seccompLink.make(to: bundle)
      }
    }
    if let passwd = built.passwd {
      try stage("passwd") {
        try Files.write(passwd, to: passwdFile, mode: 0o644)
        if let label = built.spec.linux.mountLabel { try Files.setLabel(passwdFile, label) }
      }
    }
    for warning in built.warnings { services.logger.warning("container \(id): \(warning)") }
  }

  func checkSources(_ missing: [String]) throws {
    guard let path = missing.first(where: { services.settings.rejectedSources.contains(ContainerPath.clean($0)) }) else { return }
    throw Fault(.failedPrecondition, "host path \(path): is not there, and this node is not to make it (absent_mount_sources_to_reject)")
  }

  /// The writable layer above the image's. In a user namespace the layers are seen as it maps them, and the writable one belongs to it.
  private func prepare(_ layers: [LayerID]) async throws -> RootfsMount {
    let snapshotter = services.snapshotters[sandbox.runtimeHandler] ?? services.snapshots
    return try seen(try await snapshotter.prepare(id, above: layers), layers)
  }

  /// Not a part of ``prepare(_:)``: as one coroutine the optimizer of Swift 6.3.1 crashes on it.
  private func seen(_ prepared: RootfsMount, _ layers: [LayerID]) throws -> RootfsMount {
    var rootfs = prepared
    if rootfs.isPlain, sandbox.plan.idMaps != nil {
      throw Fault(.failedPrecondition, "user namespaces need overlay snapshots, and the pod's runtime handler has native ones")
    }
    if !rootfs.isPlain { try LayerMarks.checkOverlay(layers, below: services.settings.root) }
    guard let maps = sandbox.plan.idMaps, let upper = rootfs.upper else { return rootfs }
    let root = LayerViews(services, sandbox).root
    rootfs.lower = layers.reversed().map { LayerLayout.files(root, $0) }
    let owner = try Files.owner(upper)
    guard let mapped = maps.owner(owner) else {
      throw Fault(.failedPrecondition, "the image's / belongs to \(owner.user):\(owner.group), which the pod's user namespace does not map")
    }
    try Files.setOwner(upper, mapped)
    return rootfs
  }

  private func findImage(_ spec: Runtime_V1_ImageSpec) throws -> ImageRecord {
    guard !spec.image.isEmpty else { throw Fault(.invalidArgument, "image: the name is empty") }
    guard let image = try services.images.find(spec.image) else {
      throw Fault(.notFound, "image \(spec.image): is not on this node; pull it")
    }
    return image
  }

  /// What was pulled long ago is asked about once more.
  private func admit(_ images: Images, _ config: Runtime_V1_ContainerConfig) async throws {
    guard let admission = services.admission else { return }
    let name = config.image.userSpecifiedImage
    try await admission.recheck(images.image, name.isEmpty ? config.image.image : name)
    for (index, image) in images.volumes.sorted(by: { $0.key < $1.key }) {
      try await stage("ImageVolumeMountFailed: mounts[\(index)].image") {
        try await admission.recheck(image, config.mounts[index].image.image)
      }
    }
  }

  /// Kubelets make it; for others it is made as host paths are.
  private func makeLogDirectory(_ path: String, _ found: [String: HostPath]) async throws {
    let directory = Files.parent(of: path)
    if path.isEmpty || found[directory]?.isDirectory == true { return }
    try await stage("log \(path)") {
      if found[directory]?.exists == true { throw Fault(.failedPrecondition, "\(directory) is no directory") }
      try await hostPaths.make([directory])
    }
  }

  private func logPath(_ config: Runtime_V1_ContainerConfig) -> String {
    let directory = sandbox.config.content.logDirectory
    return directory.isEmpty || config.logPath.isEmpty ? "" : directory + "/" + config.logPath
  }

  private func spec(
    _ config: Runtime_V1_ContainerConfig, _ image: ImageRecord, _ imageConfig: ImageConfig, _ labels: SELinuxLabels?, _ target: Int32?,
    _ prepared: PreparedMounts,
    _ imageVolumes: [String: String]
  ) async throws -> BuiltSpec {
    let layers = services.layers
    let files = SandboxFiles(sandbox.plan)
    let options = config.linux.securityContext.namespaceOptions
    var namespaces = try PodNamespaces(sandbox.config.content)
    namespaces.sharedPID = options.pid == .pod && sandbox.plan.sharedPID
    namespaces.ownUTS = sandbox.plan.ownUTS
    var pod = PodFacts(sandboxID: sandbox.id, holderPID: holderPID, namespaces: namespaces, networkNamespace: sandbox.plan.netnsPath)
    if let maps = sandbox.plan.idMaps { pod.userNamespace = UserNamespace(path: "/proc/\(holderPID)/ns/user", maps: maps) }
    pod.targetPIDNamespace = target.map { "/proc/\($0)/ns/pid" }
    pod.resolvConfFile = files.resolvConf
    pod.hostsFile = files.hosts
    pod.hostnameFile = files.hostname
    pod.shm = files.shm
    pod.shmSize = sandbox.plan.shmSize ?? SharedMemory.standard
    pod.markerFile = services.settings.marksContainers ? files.marker : nil
    var inputs = SpecInputs(
      id: id, container: try services.settings.adapted(config, in: sandbox), sandbox: sandbox.config.content, image: imageConfig,
      imageName: image.tags.first ?? "\(image.id)",
      pod: pod, node: services.settings.node,
      lookups: Lookups { path in try layers.readFile(path, in: image.layers, limit: 8 << 20) })
    (inputs.labels, inputs.prepared, inputs.origin) = (labels, prepared, origin(image, config))
    if config.mounts.contains(where: \.recursiveReadOnly) || config.asksForCDI {
      let features = await services.settings.runtimeFeatures.of(try runtime(for: imageConfig))
      inputs.node.hasRecursiveReadOnly = features.recursiveReadOnly
      (inputs.node.hasNetDevices, inputs.node.hasRDTSchemata) = (features.netDevices, features.rdtSchemata)
    }
    inputs.imageVolumes = imageVolumes
    inputs.handler = services.settings.handlers[sandbox.runtimeHandler] ?? HandlerFacts()
    inputs.allowed = services.settings.allowed(sandbox)
    inputs.seccompSocket = seccompLink.socket
    inputs.execProcessor = try services.settings.execProcessor(
      services.settings.withWorkload(config, in: sandbox.config.content), in: sandbox)
    inputs.passedAnnotations =
      services.settings.annotations[sandbox.runtimeHandler]?.passed(
        pod: sandbox.config.content.annotations, container: config.annotations) ?? [:]
    inputs.artifactProfile = try await SeccompArtifacts(services: services).find(for: inputs, of: image)
    let complete = inputs
    return try await BlockingWork.run { try makeSpec(complete) }
  }

  private func origin(_ image: ImageRecord, _ config: Runtime_V1_ContainerConfig) -> SpecOrigin {
    var origin = SpecOrigin()
    (origin.imageID, origin.logPath, origin.rootfs) = ("\(image.id)", logPath(config), bundle + "/rootfs")
    (origin.runtimeHandler, origin.addresses) = (sandbox.runtimeHandler, sandbox.addresses)
    origin.createdAt = SystemClock.realtimeNanoseconds()
    return origin
  }

  private func imageConfig(_ image: ImageRecord) throws -> ImageConfig {
    try stage("image \(image.id)") {
      if let type = image.artifactType {
        throw Fault(.failedPrecondition, "it is no image but an artifact (\(type)): it can be mounted, not run")
      }
      return try ImageConfig.parse(services.content.read(image.id))
    }
  }

  /// Where the pod has a user namespace its root comes by here.
  private func makeBundle(_ rollback: inout Rollback) throws {
    let bundle = bundle
    let link = seccompLink
    rollback.add("bundle") {
      try link.remove()
      try await ContainerMounts.unmount(bundle)
      try await BlockingWork.run { try Files.removeTree(bundle) }
    }
    let mode: UInt32 = sandbox.plan.idMaps == nil ? 0o700 : 0o711
    try stage("bundle") {
      try Files.makeDirectories(bundle, mode: mode)
      try Files.makeDirectories(bundle + "/rootfs", mode: mode)
    }
  }

  private func record(
    _ config: Runtime_V1_ContainerConfig, _ images: Images, _ built: BuiltSpec, _ rootfs: RootfsMount
  ) throws -> ContainerRecord {
    let (settings, image) = (services.settings, images.image)
    var plan = ContainerPlan(
      id: id, bundle: bundle, rootfs: rootfs, runtime: try runtime(for: images.config),
      runtimeRoot: settings.runtimeRoots[sandbox.runtimeHandler] ?? settings.state + "/runtime")
    plan.logPath = logPath(config)
    plan.logLineLimit = settings.logLineLimit
    plan.terminal = config.tty
    plan.stdin = config.stdin
    plan.stdinOnce = config.stdinOnce
    plan.cgroup = try CgroupPath(parent: sandbox.config.content.linux.cgroupParent, driver: settings.node.cgroupDriver).container(id)
    if settings.node.cgroupDriver == .systemd { plan.systemdCgroup = true }
    plan.creation = settings.creation[sandbox.runtimeHandler]
    plan.blockedCalls = built.notifier.map { $0.stops ? .stop : .report }
    plan.stdioOwner = sandbox.plan.idMaps?.owner(.root)
    plan.sharesPID = !built.spec.linux.namespaces.contains { $0.type == .pid && $0.path == nil }
    return ContainerRecord(
      id: id, sandboxID: sandbox.id, config: config, image: (image.id, image.digests.first ?? "\(image.id)"),
      volumeImages: images.volumes.mapValues(\.id), layers: images.layers, plan: plan,
      user: ContainerUser(built.spec.process.user), stopSignal: built.stopSignal,
      createdAt: SystemClock.realtimeNanoseconds())
  }
}

extension ContainerUser {
  init(_ user: RuntimeSpec.User) { self.init(uid: user.uid, gid: user.gid, supplementalGroups: user.additionalGids ?? []) }
}
