import Core
import Linux

/// What a process that an exec has just started gets from us, since not every runtime can give it. One that has ended already needs nothing.
protocol TunedExec {
  var score: OutOfMemoryScore? { get }
  var processor: Int? { get }
}

extension TunedExec {
  func tune(_ process: Int32, in cgroups: CgroupReader) {
    score?.give(to: process, in: cgroups)
    if let processor { try? Affinity.bind(process, to: processor) }
  }
}

extension ExecPlan: TunedExec {}
extension ExecSessionPlan: TunedExec {}
