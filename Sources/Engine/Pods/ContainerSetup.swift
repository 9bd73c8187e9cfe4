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

  var bundle: String { "\(sandbox.plan.directory)/containers/\(id)" }

  var seccompLink: SeccompLink { SeccompLink(state: services.settings.state, container: id) }
  var mounts: ContainerMounts { ContainerMounts(services: services, sandbox: sandbox, bundle: bundle) }

  /// The pod's root, as the host sees it.
  var owner: FileOwner { sandbox.plan.idMaps?.owner(.root) ?? .root }

  var hostPaths: HostPaths { HostPaths(limit: services.settings.hostPathLimit) }

  func run(_ asked: Runtime_V1_ContainerConfig, target: Int32?, _ rollback: inout Rollback) async throws -> ContainerRecord {
    let config = try await stage("mounts") { try await seenFromHere(asked) }
    let image = try findImage(config.image)
    let images = Images(image: image, config: try imageConfig(image), volumes: try mounts.findImages(config))
    services.garbage.hold(images.layers)
    defer { services.garbage.release(images.layers) }
    try await traced("container.image") { try await admit(images, config) }
    let log = logPath(config)
    let found = try await stage("mounts") {
      try await timed(.mounts, "container.host_paths") {
        try await lookAtCDI(config)
        return try await hostPaths.look(config, and: [Files.parent(of: log)] + operatorPaths)
      }
    }
    try await makeLogDirectory(log, found)
    let labels = try services.settings.node.labels(
      config.linux.securityContext, try labelKind(config, images.config), in: sandbox.plan.labels)
    let limit = try WritableLayerSize.of(config, in: sandbox, services.settings)
    let rootfs = try await timed(.snapshot, "snapshot.prepare", ["berth.layers": .int(Int64(image.layers.count))]) {
      try await makeSnapshot(image.layers, limit, labels, &rollback)
    }
    try makeBundle(&rollback)
    let built = try await timed(.spec, "container.spec") { try await build(config, images, found, rootfs, labels, target) }
    try await traced("container.mounts") { try await finish(config, built, found) }
    return try record(asked, images, built, rootfs)
  }

  /// What the operator gives to every container comes from there.
  private var operatorPaths: [String] { services.settings.node.hostPaths + [services.settings.defaultMountsFile ?? ""] }

  private func timed<T>(
    _ stage: Stages.ContainerStage, _ span: String, _ attributes: @autoclosure () -> SpanAttributes = [:], _ body: () async throws -> T
  ) async throws -> T {
    try await services.stages.container(stage, services.settings.handlerName(sandbox.runtimeHandler)) {
      try await traced(span, attributes(), body)
    }
  }

  private func makeSnapshot(
    _ layers: [LayerID], _ limit: Int64?, _ labels: SELinuxLabels?, _ rollback: inout Rollback
  ) async throws -> RootfsMount {
    let (snapshots, id) = (services.snapshots, id)
    rollback.add("snapshot") { try await snapshots.remove(id) }
    return try await stage("snapshot") {
      let rootfs = try await prepare(layers, limit)
      if services.settings.linksMountTable { try MountTableLink(rootfs: rootfs).place() }
      return try await label(rootfs, labels)
    }
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
    try stage("bundle") {
      try Files.write(built.spec.encoded, to: bundle + "/config.json")
      try GuestImage.tell(bundle, of: built.spec, handler: services.settings.facts(of: sandbox.runtimeHandler))
    }
    if let notifier = built.notifier {
      try stage("seccomp notifier") {
        try BlockedCalls(bundle: bundle).write(notifier.calls)
        try seccompLink.make(to: bundle)
      }
    }
    for (name, content) in built.userFiles {
      try stage(name) {
        try Files.write(content, to: "\(bundle)/\(name)", mode: 0o644)
        if let label = built.spec.linux.mountLabel { try Files.setLabel("\(bundle)/\(name)", label) }
      }
    }
    for warning in built.warnings { services.logger.warning("container \(id): \(warning)") }
  }

  func checkSources(_ missing: [String]) throws {
    guard let path = missing.first(where: { services.settings.rejectedSources.contains(ContainerPath.clean($0)) }) else { return }
    throw Fault(.failedPrecondition, "host path \(path): is not there, and this node is not to make it (absent_mount_sources_to_reject)")
  }

  /// The writable layer above the image's. In a user namespace the layers are seen as it maps them, and the writable one belongs to it.
  private func prepare(_ layers: [LayerID], _ limit: Int64?) async throws -> RootfsMount {
    let snapshotter = services.snapshotters[sandbox.runtimeHandler] ?? services.snapshots
    return try seen(try await snapshotter.prepare(id, above: layers, limit: limit), layers)
  }

  /// Not a part of ``prepare(_:_:)``: as one coroutine the optimizer of Swift 6.3.1 crashes on it.
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

  /// Kubelets make it; for others it is made as host paths are.
  private func makeLogDirectory(_ path: String, _ found: [String: HostPath]) async throws {
    let directory = Files.parent(of: path)
    if path.isEmpty || found[directory]?.isDirectory == true { return }
    try await stage("log \(path)") {
      if found[directory]?.exists == true { throw Fault(.failedPrecondition, "\(directory) is no directory") }
      try await hostPaths.make([directory])
    }
  }

  func logPath(_ config: Runtime_V1_ContainerConfig) -> String {
    let directory = sandbox.config.content.logDirectory
    return directory.isEmpty || config.logPath.isEmpty ? "" : directory + "/" + config.logPath
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
}
