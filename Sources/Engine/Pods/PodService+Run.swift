import CRIAPI
import Core
import Linux
import Logging
import Spec
import Synchronization

extension PodService {
  /// Makes a ready sandbox. A retry joins the running request or gets the finished sandbox;
  /// the same name with another config is ALREADY_EXISTS and says what differs.
  package func run(_ asked: SandboxRequest) async throws -> String {
    try Validation.check(asked.config)
    let key = SandboxKey(asked.config.metadata)
    let name = "\(key.namespace)/\(key.name)"
    Span.current?.set(.pod(asked.config.metadata))
    return try await stage("pod \(name)") {
      let request = try asked.withTrust()
      return try await runs.join(
        key, request,
        conflict: { Fault(.alreadyExists, "being created with another config: \($0.difference(to: request)) differs") }
      ) { [self] in
        if let existing = try finished(key, request) { return existing }
        return try await make(request)
      }
    }
  }

  /// The sandbox an earlier try made, while it is ready.
  private func finished(_ key: SandboxKey, _ request: SandboxRequest) throws -> String? {
    guard let record = ledger.sandboxes().first(where: { SandboxKey($0.config.content.metadata) == key }) else { return nil }
    let before = SandboxRequest(config: record.config.content, runtimeHandler: record.runtimeHandler)
    guard before == request else {
      throw Fault(.alreadyExists, "sandbox \(record.id) has this name and another config: \(before.difference(to: request)) differs")
    }
    switch record.state {
    case .ready: return record.id
    case .notReady: throw Fault(.alreadyExists, "sandbox \(record.id) of this attempt was stopped; remove it or raise the attempt")
    case .creating: throw Fault(.unavailable, "sandbox \(record.id) of an interrupted attempt is being removed")
    }
  }

  private func make(_ request: SandboxRequest) async throws -> String {
    let started = SystemClock.monotonicNanoseconds()
    let setup = SandboxSetup(services: services, request: request)
    try await setup.checkProfiles()
    var record = try intend(request)
    Span.current?.set(["berth.sandbox.id": .string(record.id)])
    var rollback = Rollback()
    do {
      let task = try await services.stages.pod(.run, setup.runtime) { try await setup.run(&record, &rollback) }
      record.state = .ready
      record.holderPID = task.holderPID
      try ledger.put(record)
      let pod = Pod(record: record, services: services, shim: Flight { task }) { [self] in forget($0) }
      await pod.watch(task)
      add(pod)
    } catch {
      takeBack(record, isClear: await traced("pod.rollback") { await rollback.run(services.logger) })
      throw error
    }
    let milliseconds = (SystemClock.monotonicNanoseconds() - started) / 1_000_000
    services.logger.info(
      "sandbox ready",
      metadata: [
        "pod": "\(record.podName)", "sandbox": "\(record.id)", "ms": "\(milliseconds)", "ip": "\(record.addresses.first ?? "")",
      ])
    return record.id
  }

  /// What pods may not have in common is chosen and written down for one after the other.
  private func intend(_ request: SandboxRequest) throws -> SandboxRecord {
    try intents.withLock { _ in
      let record = try newRecord(request)
      try ledger.put(record)
      return record
    }
  }

  private func newRecord(_ request: SandboxRequest) throws -> SandboxRecord {
    guard services.settings.runtimes[request.runtimeHandler] != nil else {
      let known = services.settings.runtimes.keys.filter { !$0.isEmpty }.sorted().joined(separator: ", ")
      throw Fault(.invalidArgument, "runtime handler \"\(request.runtimeHandler)\" is not configured (there are: \(known))")
    }
    let choice = try UserNamespaceChoice(settings: services.settings, request: request)
    let namespaces = try choice.namespaces { IDMaps.union(ledger.sandboxes().compactMap(\.plan.idMaps)) }
    for warning in choice.warnings { services.logger.warning("pod \(request.config.metadata.name): \(warning)") }
    let id = Identifier.random()
    var plan = try SandboxPlan(
      config: request.config, namespaces: namespaces, id: id, directory: services.settings.sandboxDirectory(id), settings: services.settings
    )
    let handler = services.settings.handlers[request.runtimeHandler]
    if handler?.hasInfraContainer == true { try plan.makeRoomForInfraContainer(config: request.config, services.settings) }
    plan.shimEnvironment = services.settings.shimEnvironment(request.runtimeHandler)
    plan.shmSize = try SharedMemory.size(request, services.settings)
    let labels = try services.settings.labels(of: request, ownNetwork: plan.ownNetwork, inUse: levelsInUse)
    (plan.processLabel, plan.fileLabel) = (labels?.process, labels?.file)
    for name in services.settings.allowed(request.config, handler: request.runtimeHandler).refused(request.config.annotations) {
      services.logger.warning("pod \(request.config.metadata.name): annotation \(name) is ignored: its runtime handler does not allow it")
    }
    var record = SandboxRecord(
      id: id, config: request.config, runtimeHandler: request.runtimeHandler, createdAt: SystemClock.realtimeNanoseconds(), plan: plan)
    if handler?.hasInfraContainer == true { record.infra = try InfraContainer.plan(of: record, services.settings) }
    return record
  }
}

extension PodService {
  private var levelsInUse: Set<String> {
    Set(ledger.sandboxes().compactMap { $0.plan.processLabel.flatMap { SELinuxLabel($0)?.level } })
  }
}

extension SandboxPlan {
  var labels: SELinuxLabels? { processLabel.flatMap { process in fileLabel.map { SELinuxLabels(process: process, file: $0) } } }

  /// What the kubelet's config means for shim and holder.
  init(
    config: Runtime_V1_PodSandboxConfig, namespaces: PodNamespaces, id: String, directory: String, settings: EngineSettings
  ) throws(Fault) {
    self.init(id: id, directory: directory)
    ownNetwork = namespaces.ownNetwork
    ownIPC = namespaces.ownIPC
    ownUTS = namespaces.ownUTS || settings.podDefaults.ownsUTS
    sharedPID = namespaces.sharedPID
    idMaps = namespaces.idMaps
    hostname = config.hostname
    sysctls = settings.podDefaults.sysctls(namespaces).merging(config.linux.sysctls.map { (PodDefaults.dotted($0.key), $0.value) }) { $1 }
    netnsPath = ownNetwork ? "\(settings.podDefaults.netnsDirectory)/berth-\(UUIDText.random())" : ""
    cgroup = try CgroupPath(parent: config.linux.cgroupParent, driver: settings.node.cgroupDriver).sandbox(id)
    place(settings.shim)
  }
}

enum UUIDText {
  /// 128 random bits in the usual 8-4-4-4-12 form (RFC 9562, version 4 bits not set: only uniqueness counts here).
  static func random() -> String {
    let digits = Array(Identifier.random().prefix(32))
    let ends = [8, 12, 16, 20, 32]
    var parts: [String] = []
    var begin = 0
    for end in ends {
      parts.append(String(digits[begin..<end]))
      begin = end
    }
    return parts.joined(separator: "-")
  }
}
