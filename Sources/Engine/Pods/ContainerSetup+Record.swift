import CRIAPI
import Core
import Linux
import OCI
import Spec

/// What is kept of a container that was made.
extension ContainerSetup {
  func record(
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
    if let handler = settings.handlers[sandbox.runtimeHandler], handler.isForeign {
      plan.foreign = handler.isMachine ? .machine : .container
    }
    plan.creation = settings.creation[sandbox.runtimeHandler]
    plan.blockedCalls = built.notifier.map { $0.stops ? .stop : .report }
    plan.stdioOwner = sandbox.plan.idMaps?.owner(.root)
    plan.sharesPID = !built.spec.linux.namespaces.contains { $0.type == .pid && $0.path == nil }
    var record = ContainerRecord(
      id: id, sandboxID: sandbox.id, config: config, image: (image.id, image.digests.first ?? "\(image.id)"),
      volumeImages: images.volumes.mapValues(\.id), layers: images.layers, plan: plan,
      user: ContainerUser(built.spec.process.user), stopSignal: built.stopSignal,
      createdAt: SystemClock.realtimeNanoseconds())
    let labels = services.imageLabels.kept(images.config.config.labels, of: image.id, services.logger)
    if !labels.isEmpty { record.imageLabels = labels }
    return record
  }
}

extension ContainerUser {
  init(_ user: RuntimeSpec.User) { self.init(uid: user.uid, gid: user.gid, supplementalGroups: user.additionalGids ?? []) }
}
