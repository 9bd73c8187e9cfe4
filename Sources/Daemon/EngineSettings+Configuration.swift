import Core
import Engine
import Linux
import Logging
import Settings
import Spec

extension EngineSettings {
  /// - Parameters:
  ///   - shim: path of berth-shim.
  ///   - appArmorProfile: the default one, where it could be loaded.
  init(_ settings: Configuration, shim: String, appArmorProfile: String?, logger: Logger) throws {
    let runtimes = try settings.runtimes.paths(beside: shim) { logger.warning("\($0)") }
    try self.init(state: settings.state, runtimes: runtimes, node: NodeFacts.gather())
    if settings.runtimes.wantInfraContainers {
      pauseProgram = try stage("infra_container") { try Configuration.Shim.companion("berth-pause", of: shim) }
    }
    if let least = node.minimumOOMScore {
      logger.warning("oom_score_adj below \(least) cannot be set without CAP_SYS_RESOURCE: such requests get \(least)")
    }
    (root, messageLimit, logLineLimit) = (settings.root, settings.grpc.maximumSendSize, settings.runtimes.maximumLogLine)
    node.hasUserNamespaces = Mounts.mappingProblem(root) == nil
    node.cgroupDriver = CgroupDriver(rawValue: settings.cgroups.driver) ?? .cgroupfs
    node.cdiDirectories = settings.cdi.directories
    node.defaultAppArmorProfile = appArmorProfile
    self.shim = ShimPlacement(settings.shim)
    writableSizes = settings.writableSizes
    workloads = try settings.engineWorkloads()
    try take(settings.containers)
    try take(settings.pods)
    podDefaults.hostNetworkHasNoLabels = settings.containers.hostNetworkHasNoLabels
    try take(settings.runtimes, logger)
  }

  private mutating func take(_ containers: Configuration.Containers) throws {
    node.defaults = try containers.defaults()
    node.pidsLimit = containers.pidsLimit > 0 ? Int64(containers.pidsLimit) : nil
    node.hookDirectories = containers.hookDirectories
    node.devicesFollowUser = containers.devicesFollowUser
    if containers.ignoresAppArmor { node.hasAppArmor = false }
    node.selinux = try containers.selinuxMode(hasSELinux: node.hasSELinux)
    levels = SELinuxLevels(categories: containers.selinuxCategories)
    bindMountPrefix = containers.bindMountPrefix.map(ContainerPath.clean)
    enforcesFIPS = containers.fips == "auto" ? node.isFIPS : containers.fips == "enabled"
    rejectedSources = Set(containers.rejectedSources)
    defaultMountsFile = containers.defaultMountsFile
    (linksMountTable, marksContainers) = (containers.linksMountTable, containers.marksContainers)
    ignoresImageVolumes = containers.ignoresImageVolumes
    hostPathLimit = .seconds(containers.hostPathSeconds)
  }

  private mutating func take(_ pods: Configuration.Pods) throws {
    podDefaults = try pods.defaults()
    sharedProcessors = pods.sharedProcessors
  }

  private mutating func take(_ runtimes: Configuration.Runtimes, _ logger: Logger) throws {
    standardHandler = runtimes.standard
    annotations = runtimes.annotations
    handlers = try runtimes.facts(node) { logger.warning("\($0)") }
    networks = runtimes.networks
    allowedAnnotations = try runtimes.allowedAnnotations()
    shimEnvironments = runtimes.shimEnvironments
    (creation, runtimeRoots, platformRuntimes) = (runtimes.creation, runtimes.roots, runtimes.platformPrograms)
  }
}
