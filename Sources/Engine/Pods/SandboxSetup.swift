import CRIAPI
import Core
import Linux
import Spec

/// The stages of making a sandbox, in order, each with its undo: directory and files, shim with namespaces, network, infra container.
struct SandboxSetup: Sendable {
  let services: PodServices
  let request: SandboxRequest

  /// Of its runtime handler.
  var runtime: String { services.settings.handlerName(request.runtimeHandler) }

  /// That what the pod names for itself is on the node, before anything is made.
  func checkProfiles() async throws {
    guard let profiles = SandboxProfiles(request.config) else { return }
    let node = services.settings.node
    let paths = HostPaths(limit: services.settings.hostPathLimit)
    try await BlockingWork.run {
      try paths.lookHere(profiles.hostPaths)
      try profiles.check(node, Lookups { _ in nil })
    }
  }

  func run(_ record: inout SandboxRecord, _ rollback: inout Rollback) async throws -> any PodTask {
    let plan = record.plan
    rollback.add("directory") { try await SandboxFiles(plan).remove() }
    try await timed(.files, "files", "sandbox.files") { try SandboxFiles(plan).make(request.config) }
    if let maps = plan.idMaps {
      try await timed(.userNamespace, "user namespace", "sandbox.owners") {
        try await SandboxFiles(plan).mapOwners(maps, services.settings)
      }
    }
    let tasks = services.tasks
    let infra = record.infra
    rollback.add("shim") { try await tasks.reap(plan, containers: infra.map { [$0] } ?? []) }
    let task = try await timed(.shim, "shim", "shim.start") { try await services.tasks.start(plan) }
    // What does not end by asking is killed by the step before.
    rollback.add("farewell") { try? await task.shutdown() }
    if plan.ownNetwork { try await setUpNetwork(&record, task, &rollback) }
    if let infra {
      rollback.add("infra container") { try await InfraContainer.end(infra.id, task) }
      let container = InfraContainer(services: services, sandbox: record, plan: infra, holderPID: task.holderPID)
      try await timed(.infra, "infra container", "sandbox.infra") { try await container.start(task) }
    }
    return task
  }

  private func setUpNetwork(_ record: inout SandboxRecord, _ task: any PodTask, _ rollback: inout Rollback) async throws {
    let plan = record.plan
    record.attached = true
    record.holderPID = task.holderPID
    try services.ledger.put(record)
    let network = services.network
    rollback.add("network") { try await network.detach(plan.id, netnsPath: plan.netnsPath) }
    record.addresses = try await timed(.network, "network", "network.attach", ["cni.netns": .string(plan.netnsPath)]) {
      try await network.attach(attachment(plan))
    }.addresses
    try SandboxFiles(plan).writeHosts(request.config, addresses: record.addresses)
  }

  private func timed<T>(
    _ kind: Stages.PodStage, _ name: String, _ span: String, _ attributes: @autoclosure () -> SpanAttributes = [:],
    _ body: () async throws -> T
  ) async throws -> T {
    try await stage(name) { try await services.stages.pod(kind, runtime) { try await traced(span, attributes(), body) } }
  }

  private func attachment(_ plan: SandboxPlan) -> NetworkAttachment {
    let config = request.config
    var attachment = NetworkAttachment(
      sandboxID: plan.id, netnsPath: plan.netnsPath, podName: config.metadata.name, podNamespace: config.metadata.namespace,
      podUID: config.metadata.uid)
    let network = services.settings.networks[request.runtimeHandler]
    (attachment.configurationDirectory, attachment.networks) = (network?.directory, network?.count)
    attachment.annotations = config.annotations
    attachment.cgroupParent = config.linux.cgroupParent
    let dns = config.dnsConfig
    if !dns.servers.isEmpty || !dns.searches.isEmpty || !dns.options.isEmpty {
      attachment.dns = .init(servers: dns.servers, searches: dns.searches, options: dns.options)
    }
    attachment.portMappings = config.portMappings.filter { $0.hostPort > 0 }.map {
      .init(proto: $0.protocol.cniName, containerPort: $0.containerPort, hostPort: $0.hostPort, hostIP: $0.hostIp)
    }
    return attachment
  }
}

extension Runtime_V1_Protocol {
  /// As CNI's portMappings capability spells it.
  var cniName: String {
    switch self {
    case .udp: "udp"
    case .sctp: "sctp"
    default: "tcp"
    }
  }
}
