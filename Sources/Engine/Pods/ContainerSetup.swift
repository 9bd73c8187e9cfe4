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

  private var bundle: String { "\(sandbox.plan.directory)/containers/\(id)" }
  private var cgroup: String { Files.parent(of: sandbox.plan.cgroup) + "/" + id }

  func run(_ config: Runtime_V1_ContainerConfig, target: Int32?, _ rollback: inout Rollback) async throws -> ContainerRecord {
    let image = try findImage(config.image)
    services.garbage.hold(image.layers)
    defer { services.garbage.release(image.layers) }
    try checkLog(config)
    let imageConfig = try imageConfig(image)
    let built = try await spec(config, image, imageConfig, target)
    try await HostPaths.make(built.hostPaths)
    let snapshots = services.snapshots
    let id = id
    rollback.add("snapshot") { try await snapshots.remove(id) }
    let rootfs = try await stage("snapshot") { try await snapshots.prepare(id, above: image.layers) }
    let bundle = bundle
    rollback.add("bundle") { try await BlockingWork.run { try Files.removeTree(bundle) } }
    try stage("bundle") { try writeBundle(built.spec) }
    for warning in built.warnings { services.logger.warning("container \(id): \(warning)") }
    return try record(config, image, imageConfig, built, rootfs)
  }

  private func findImage(_ spec: Runtime_V1_ImageSpec) throws -> ImageRecord {
    guard !spec.image.isEmpty else { throw Fault(.invalidArgument, "image: the name is empty") }
    guard let image = try services.images.find(spec.image) else {
      throw Fault(.notFound, "image \(spec.image): is not on this node; pull it")
    }
    return image
  }

  private func checkLog(_ config: Runtime_V1_ContainerConfig) throws {
    let path = logPath(config)
    guard !path.isEmpty, !Files.exists(Files.parent(of: path)) else { return }
    throw Fault(.failedPrecondition, "log \(path): its directory does not exist")
  }

  private func logPath(_ config: Runtime_V1_ContainerConfig) -> String {
    let directory = sandbox.config.content.logDirectory
    return directory.isEmpty || config.logPath.isEmpty ? "" : directory + "/" + config.logPath
  }

  private func spec(
    _ config: Runtime_V1_ContainerConfig, _ image: ImageRecord, _ imageConfig: ImageConfig, _ target: Int32?
  ) async throws -> BuiltSpec {
    let layers = services.layers
    let files = SandboxFiles(sandbox.plan)
    let options = config.linux.securityContext.namespaceOptions
    var namespaces = try PodNamespaces(sandbox.config.content)
    namespaces.sharedPID = options.pid == .pod && sandbox.plan.sharedPID
    var pod = PodFacts(sandboxID: sandbox.id, holderPID: holderPID, namespaces: namespaces, networkNamespace: sandbox.plan.netnsPath)
    pod.targetPIDNamespace = target.map { "/proc/\($0)/ns/pid" }
    pod.resolvConfFile = files.resolvConf
    pod.hostsFile = files.hosts
    pod.hostnameFile = files.hostname
    pod.shm = files.shm
    let inputs = SpecInputs(
      id: id, container: config, sandbox: sandbox.config.content, image: imageConfig, imageName: image.tags.first ?? "\(image.id)",
      pod: pod, node: services.settings.node,
      lookups: Lookups { path in try layers.readFile(path, in: image.layers, limit: 8 << 20) })
    return try await BlockingWork.run { try makeSpec(inputs) }
  }

  private func imageConfig(_ image: ImageRecord) throws -> ImageConfig {
    try stage("image \(image.id)") { try ImageConfig.parse(services.content.read(image.id)) }
  }

  private func writeBundle(_ spec: RuntimeSpec) throws {
    try Files.makeDirectories(bundle + "/rootfs")
    try Files.write(spec.encoded, to: bundle + "/config.json")
  }

  private func record(
    _ config: Runtime_V1_ContainerConfig, _ image: ImageRecord, _ imageConfig: ImageConfig, _ built: BuiltSpec, _ rootfs: RootfsMount
  ) throws -> ContainerRecord {
    let settings = services.settings
    let runtime = settings.runtimes[sandbox.runtimeHandler] ?? ""
    var plan = ContainerPlan(id: id, bundle: bundle, rootfs: rootfs, runtime: runtime, runtimeRoot: settings.state + "/runtime")
    plan.logPath = logPath(config)
    plan.logLineLimit = settings.logLineLimit
    plan.terminal = config.tty
    plan.stdin = config.stdin
    plan.stdinOnce = config.stdinOnce
    plan.cgroup = cgroup
    plan.sharesPID = !built.spec.linux.namespaces.contains { $0.type == .pid && $0.path == nil }
    return ContainerRecord(
      id: id, sandboxID: sandbox.id, config: config, image: (image.id, image.digests.first ?? "\(image.id)"), layers: image.layers,
      plan: plan,
      user: ContainerUser(built.spec.process.user), stopSignal: try StopSignal.number(config, imageConfig),
      createdAt: SystemClock.realtimeNanoseconds())
  }
}

extension ContainerUser {
  init(_ user: RuntimeSpec.User) { self.init(uid: user.uid, gid: user.gid, supplementalGroups: user.additionalGids ?? []) }
}
