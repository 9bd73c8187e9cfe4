import Core
import Linux

/// Containers whose cgroups on this host say nothing of them, since they live in a machine or another kernel.
extension StatsService {
  /// By container. The shims are asked side by side.
  func foreignFigures(of containers: [ContainerRecord]) async -> [String: ForeignFigures] {
    let asked = containers.filter { $0.state == .running && $0.plan.foreign != nil }
    if asked.isEmpty { return [:] }
    let reader = reader
    let hidden = await BlockingWork.run {
      asked.map(\.plan).filter { $0.foreign == .machine || reader.processIDs($0.cgroup).isEmpty }
    }
    foreignRates.keep(ledger.containers().filter { $0.state == .running && $0.plan.foreign != nil }.map(\.id))
    return await withTaskGroup(of: (String, ForeignFigures?).self) { group in
      for plan in hidden { group.addTask { [foreign] in (plan.id, await foreign(plan)) } }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  func usage(_ record: ContainerRecord, _ figures: ForeignFigures) -> GroupUsage {
    var usage = GroupUsage(at: SystemClock.realtimeNanoseconds())
    (usage.cpu, usage.memory) = (figures.cpu, figures.memory)
    usage.nanoCores = figures.cpu.flatMap { foreignRates.nanoCores(record.id, time: $0, startedAt: record.startedAt) }
    return usage
  }
}
