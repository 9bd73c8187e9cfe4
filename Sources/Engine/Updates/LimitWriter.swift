import CRIAPI
import Core
import Linux
import Spec

/// Puts new limits into force on a cgroup that lives. Blocks for as long as the kernel takes.
struct LimitWriter: Sendable {
  let reader: CgroupReader
  let node: NodeFacts
  let cgroup: String

  /// All or nothing, save for `oom_score_adj`, which comes last and is set for each process on its own. The result is what held before.
  func apply(_ update: ResourceUpdate) throws(Fault) -> EarlierLimits {
    try checkMemory(update)
    try checkSwap(update)
    let changes = try changes(update)
    do throws(LimitRefusal) {
      let earlier = try LimitChange.apply(changes)
      adjustOutOfMemoryScore(update)
      return earlier
    } catch {
      throw Fault(.failedPrecondition, "linux.\(error.change.field): \(error.change.value) is refused: \(error.error)", cause: error.error)
    }
  }

  private func changes(_ update: ResourceUpdate) throws(Fault) -> [LimitChange] {
    do { return try reader.changes(update.limits(countsSwap: node.hasSwapLimits), of: cgroup) } catch {
      throw Fault(.failedPrecondition, "linux.\(error.field): \(error.reason)")
    }
  }

  /// The kernel would kill (v2) or fail only after a long try (v1). What it can drop at once does not count as used.
  private func checkMemory(_ update: ResourceUpdate) throws(Fault) {
    let limit = update.asked.memoryLimitInBytes
    guard limit > 0, let memory = reader.memoryCounters(cgroup), UInt64(limit) < memory.workingSet else { return }
    throw Fault(
      .failedPrecondition, "linux.memory_limit_in_bytes: \(limit) is below the \(memory.workingSet) bytes of memory that are in use")
  }

  private func checkSwap(_ update: ResourceUpdate) throws(Fault) {
    let asked = update.asked.memorySwapLimitInBytes
    guard !node.hasSwapLimits, asked != 0, asked != update.result.memoryLimitInBytes else { return }
    throw Fault(.failedPrecondition, "linux.memory_swap_limit_in_bytes: \(asked): this node does not limit swap")
  }

  /// A process that ends meanwhile needs none; one that is forked meanwhile inherits its parent's.
  private func adjustOutOfMemoryScore(_ update: ResourceUpdate) {
    guard update.asked.oomScoreAdj != 0 else { return }
    let score = node.oomScore(update.asked.oomScoreAdj)
    for _ in 0..<2 {
      for pid in reader.processIDs(cgroup) { try? Files.write("\(score)", to: "/proc/\(pid)/oom_score_adj", create: false) }
    }
  }
}
