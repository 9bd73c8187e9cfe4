import CRIAPI
import Core
import Linux
import OCI
import Spec
import SwiftProtobuf

/// The container that stands for a pod itself, by the pod's own ID. A shim that runs pods in machines boots the machine for it; Berth's own needs none,
/// since its holder keeps the namespaces. It holds one program that waits, and needs no image.
struct InfraContainer: Sendable {
  /// Where the program is in the container: guests that bring their own look for it there.
  private static let program = "/pause"
  private static let patience: Int64 = 60_000_000_000

  let services: PodServices
  let sandbox: SandboxRecord
  let plan: ContainerPlan
  let holderPID: Int32

  private var handler: HandlerFacts { services.settings.facts(of: sandbox.runtimeHandler) }
  private var layer: String { "\(plan.bundle)/layer" }

  static func plan(of sandbox: SandboxRecord, _ settings: EngineSettings) throws -> ContainerPlan {
    let (shared, config, handler) = (sandbox.plan, sandbox.config.content, sandbox.runtimeHandler)
    let bundle = shared.directory + "/infra"
    var plan = ContainerPlan(
      id: sandbox.id, bundle: bundle, rootfs: RootfsMount(lower: [], upper: bundle + "/layer", work: nil),
      runtime: settings.runtimes[handler] ?? "", runtimeRoot: settings.runtimeRoots[handler] ?? settings.state + "/runtime")
    plan.cgroup = try CgroupPath(parent: config.linux.cgroupParent, driver: settings.node.cgroupDriver).container(sandbox.id)
    if settings.node.cgroupDriver == .systemd { plan.systemdCgroup = true }
    plan.creation = settings.creation[handler]
    plan.stdioOwner = shared.idMaps?.owner(.root)
    plan.sharesPID = shared.sharedPID || config.linux.securityContext.namespaceOptions.pid == .node
    return plan
  }

  func start(_ task: any PodTask) async throws {
    let spec = try stage("spec") { try makeSpec() }
    try stage("bundle") { try makeBundle(spec) }
    try await task.create(plan)
    _ = try await task.start(plan.id)
  }

  /// Kills it and takes it away. Nothing to do where it was never made.
  static func end(_ id: String, _ task: any PodTask) async throws {
    do {
      try await task.kill(id, signal: 9, all: true)
      guard try await withDeadline(patience, { try await task.wait(id) }) != nil else {
        throw Fault(.deadlineExceeded, "it did not end within 60 s of SIGKILL")
      }
    } catch let fault as Fault where fault.code == .notFound {}
    try await task.delete(id)
  }

  private func makeBundle(_ spec: RuntimeSpec) throws {
    guard let pause = services.settings.pauseProgram else { throw Fault(.failedPrecondition, "berth-pause is not there") }
    let mode: UInt32 = sandbox.plan.idMaps == nil ? 0o700 : 0o711
    try Files.makeDirectories(plan.bundle, mode: mode)
    try Files.makeDirectories(plan.bundle + "/rootfs", mode: mode)
    try Files.makeDirectories(layer, mode: 0o755)
    try Files.write(try Files.read(pause, limit: 1 << 20), to: layer + Self.program, mode: 0o755)
    // The runtime makes the places of mounts as the container's root.
    if let owner = sandbox.plan.idMaps?.owner(.root) { try Files.setOwner(layer, owner) }
    if let label = spec.linux.mountLabel { for path in [layer, layer + Self.program] { try Files.setLabel(path, label) } }
    try Files.write(spec.encoded, to: plan.bundle + "/config.json")
    try GuestImage.tell(plan.bundle, of: spec, handler: handler)
  }
}

extension InfraContainer {
  /// As containerd makes it for a sandbox: the pod's namespaces, name and sysctls, the least share of the processors, and nothing that could be used.
  private func makeSpec() throws -> RuntimeSpec {
    let (settings, pod) = (services.settings, sandbox.config.content)
    var inputs = SpecInputs(
      id: plan.id, container: container, sandbox: pod, image: ImageConfig(), imageName: "berth-pause", pod: try podFacts(), node: node,
      lookups: Lookups(look: HostPaths(limit: settings.hostPathLimit).lookHere) { _ in nil })
    inputs.isInfraContainer = true
    inputs.handler = handler
    inputs.handler.base = nil
    inputs.labels = sandbox.plan.labels
    inputs.passedAnnotations = settings.annotations[sandbox.runtimeHandler]?.passed(pod: pod.annotations, container: [:]) ?? [:]
    (inputs.origin.rootfs, inputs.origin.runtimeHandler) = (plan.bundle + "/rootfs", sandbox.runtimeHandler)
    (inputs.origin.addresses, inputs.origin.createdAt) = (sandbox.addresses, sandbox.createdAt)
    var spec = try Spec.makeSpec(inputs).spec
    if sandbox.plan.ownUTS { spec.hostname = sandbox.plan.hostname.isEmpty ? nil : sandbox.plan.hostname }
    if !sandbox.plan.sysctls.isEmpty { spec.linux.sysctl = sandbox.plan.sysctls }
    return spec
  }

  /// What an operator wants of every container is not meant for this one.
  private var node: NodeFacts {
    var node = services.settings.node
    let defaults = node.defaults
    (node.defaults, node.hookDirectories, node.pidsLimit) = (ContainerDefaults(), [], nil)
    (node.defaults.seccomp, node.defaults.unsetSeccomp) = (defaults.seccomp, defaults.unsetSeccomp)
    return node
  }

  private func podFacts() throws -> PodFacts {
    let (shared, files) = (sandbox.plan, SandboxFiles(sandbox.plan))
    var namespaces = try PodNamespaces(sandbox.config.content)
    (namespaces.sharedPID, namespaces.ownUTS) = (shared.sharedPID, shared.ownUTS)
    var pod = PodFacts(sandboxID: sandbox.id, holderPID: holderPID, namespaces: namespaces, networkNamespace: shared.netnsPath)
    if let maps = shared.idMaps { pod.userNamespace = UserNamespace(path: "/proc/\(holderPID)/ns/user", maps: maps) }
    (pod.resolvConfFile, pod.shm, pod.shmSize) = (files.resolvConf, files.shm, shared.shmSize ?? SharedMemory.standard)
    return pod
  }

  /// What the kubelet would ask for, were it a container of its own.
  private var container: Runtime_V1_ContainerConfig {
    let asked = sandbox.config.content.linux.securityContext
    return .with {
      $0.metadata.name = "POD"
      $0.metadata.attempt = sandbox.config.content.metadata.attempt
      $0.command = [Self.program]
      $0.linux.resources = .with {
        ($0.cpuShares, $0.oomScoreAdj, $0.cpusetCpus) = (2, -998, sandbox.plan.shimProcessors ?? "")
      }
      $0.linux.securityContext = .with {
        $0.namespaceOptions = asked.namespaceOptions
        $0.namespaceOptions.clearUsernsOptions()
        ($0.readonlyRootfs, $0.noNewPrivs, $0.supplementalGroups) = (true, true, asked.supplementalGroups)
        ($0.runAsUser, $0.runAsGroup) = (.with { $0.value = user(asked) }, .with { $0.value = group(asked) })
        $0.capabilities.dropCapabilities = ["ALL"]
        $0.apparmor.profileType = .unconfined
        if asked.privileged {
          $0.seccomp.profileType = .unconfined
        } else if asked.hasSeccomp {
          $0.seccomp = asked.seccomp
        } else {
          $0.seccompProfilePath = asked.seccompProfilePath
        }
        ($0.maskedPaths, $0.readonlyPaths) = (RuntimeSpec.usualMaskedPaths, RuntimeSpec.usualReadonlyPaths)
      }
    }
  }

  /// Nobody in particular, who in a user namespace may have no ID.
  private var nobody: Int64 { sandbox.plan.idMaps == nil ? 65535 : 0 }

  private func user(_ asked: Runtime_V1_LinuxSandboxSecurityContext) -> Int64 { asked.hasRunAsUser ? asked.runAsUser.value : nobody }

  private func group(_ asked: Runtime_V1_LinuxSandboxSecurityContext) -> Int64 { asked.hasRunAsGroup ? asked.runAsGroup.value : nobody }
}

extension SandboxPlan {
  /// The infra container has the cgroup that peers give it: shim and holder move beside it.
  mutating func makeRoomForInfraContainer(config: Runtime_V1_PodSandboxConfig, _ settings: EngineSettings) throws(Fault) {
    if settings.shim.cgroup != nil { return }
    cgroup = try CgroupPath(parent: config.linux.cgroupParent, driver: settings.node.cgroupDriver).monitor(id)
  }
}
