import CRIAPI
package import Core
package import Linux

/// Statistics of containers and pods: read from their cgroups when asked for, except for rates and disk usage, which are measured in the background.
package final class StatsService: Sendable {
  package let ledger: Ledger
  package let writable: WritableLayers
  let reader: CgroupReader
  let rates: CPURates
  /// What shims of others tell of their containers; nil where one does not.
  let foreign: @Sendable (ContainerPlan) async -> ForeignFigures?
  /// Of those, by container: sampled when there is a call.
  let foreignRates: CPURates
  let root: String

  /// Groups that one thread reads in a row; more are read side by side.
  static let batch = 64

  /// How often what a call does not read itself is measured.
  package struct Periods: Sendable {
    /// Of processor time; nil for only when there is a call.
    package var cpu: Duration? = .seconds(10)
    /// Of writable layers.
    package var disk = Duration.seconds(10)

    package init() {}
  }

  /// - Parameter root: the daemon's root directory, where writable layers are.
  package init(
    ledger: Ledger, snapshots: any Snapshotter, tree: CgroupTree, root: String, periods: Periods = Periods(),
    foreign: @escaping @Sendable (ContainerPlan) async -> ForeignFigures? = { _ in nil }
  ) {
    self.foreign = foreign
    self.ledger = ledger
    self.root = root
    reader = CgroupReader(tree)
    rates = CPURates(reader, period: periods.cpu)
    foreignRates = CPURates(reader, period: nil)
    writable = WritableLayers(ledger: ledger, snapshots: snapshots, period: periods.disk)
  }

  /// Begins to measure in the background, for as long as the daemon lives.
  package func begin() {
    ledger.events.onEvent { [rates, writable] in
      rates.ring()
      writable.ring()
    }
    Task.detached(priority: .utility) { [rates, ledger] in
      await rates.run { Self.groups(ledger) }
    }
    Task.detached(priority: .utility) { [writable] in await writable.run() }
  }

  private static func groups(_ ledger: Ledger) -> [String] {
    let containers = ledger.containers().filter { $0.state == .running }.map(\.plan.cgroup)
    let parents = PodGroups(ledger.sandboxes())
    return containers + ledger.sandboxes().filter { $0.state == .ready }.compactMap { parents.group(of: $0) }
  }

  package func usage(of containers: [ContainerEntry]) async -> [ContainerUsage] {
    let figures = await foreignFigures(of: containers.map(\.record))
    return await inBatches(containers) { [self] in usage($0, figures) }
  }

  package func usage(of pods: [SandboxEntry]) async -> [PodUsage] {
    let groups = PodGroups(ledger.sandboxes())
    let figures = await foreignFigures(of: pods.flatMap { ledger.containers(of: $0.record.id) })
    return await inBatches(pods) { [self] in usage($0, groups, figures) }
  }

  /// Keeps the order.
  func inBatches<Item: Sendable, Result: Sendable>(_ items: [Item], _ body: @escaping @Sendable (Item) -> Result) async -> [Result] {
    await BlockingWork.inBatches(of: Self.batch, items) { $0.map(body) }.flatMap(\.self)
  }

  private func usage(_ entry: ContainerEntry, _ foreign: [String: ForeignFigures]) -> ContainerUsage {
    let record = entry.record
    var group = record.state == .running ? group(record.plan.cgroup, startedAt: record.startedAt) : nil
    if let figures = foreign[record.id] { group = usage(record, figures) }
    return ContainerUsage(
      entry: entry, group: group, writable: writable.usage(record.id), writablePath: record.plan.rootfs.upper ?? "\(root)/snapshots")
  }

  private func usage(_ entry: SandboxEntry, _ groups: PodGroups, _ foreign: [String: ForeignFigures]) -> PodUsage {
    let record = entry.record
    let containers = ledger.containerEntries(of: record.id).map { usage($0, foreign) }
    guard record.state == .ready else { return PodUsage(entry: entry, containers: containers) }
    var pod = PodUsage(entry: entry, containers: containers)
    if let path = groups.group(of: record), let own = group(path, startedAt: record.createdAt) {
      pod.group = own
      pod.processes = UInt64(reader.processIDs(path).count)
    } else {
      let own = [record.plan.cgroup] + (record.infra.map { [$0.cgroup] } ?? [])
      pod.group = GroupUsage.sum(own.compactMap { group($0, startedAt: record.createdAt) } + containers.compactMap(\.group))
      let members = own + containers.filter { $0.group != nil }.map(\.entry.record.plan.cgroup)
      pod.processes = members.reduce(0) { $0 + UInt64(reader.processIDs($1).count) }
    }
    if record.plan.ownNetwork, record.holderPID > 0 { pod.network = NetworkCounters.read(pid: record.holderPID) }
    return pod
  }

  /// Nil where the group is gone.
  private func group(_ path: String, startedAt: Int64) -> GroupUsage? {
    guard let cpu = reader.cpuTime(path) else { return nil }
    var usage = GroupUsage(at: SystemClock.realtimeNanoseconds())
    usage.cpu = cpu
    usage.nanoCores = rates.nanoCores(path, time: cpu, startedAt: startedAt)
    usage.cpuPressure = reader.cpuPressure(path)
    usage.memory = reader.memoryCounters(path)
    usage.memoryPressure = reader.memoryPressure(path)
    usage.ioPressure = reader.ioPressure(path)
    return usage
  }
}

extension PodUsage {
  fileprivate init(entry: SandboxEntry, containers: [ContainerUsage]) {
    self.init(entry: entry, group: nil, network: nil, processes: nil, containers: containers)
  }
}

/// Which pods have a cgroup to themselves: the kubelet makes one for each, others let pods share a parent.
struct PodGroups: Sendable {
  private let shared: Set<String>

  init(_ sandboxes: [SandboxRecord]) {
    var seen: Set<String> = []
    var shared: Set<String> = []
    for sandbox in sandboxes where !seen.insert(Self.parent(sandbox)).inserted { shared.insert(Self.parent(sandbox)) }
    self.shared = shared
  }

  private static func parent(_ sandbox: SandboxRecord) -> String { sandbox.plan.podCgroup ?? Files.parent(of: sandbox.plan.cgroup) }

  /// The pod's own group; nil where its parent is not its own.
  func group(of sandbox: SandboxRecord) -> String? {
    let parent = Self.parent(sandbox)
    guard !sandbox.config.content.linux.cgroupParent.isEmpty, parent != "/", !shared.contains(parent) else { return nil }
    return parent
  }
}
