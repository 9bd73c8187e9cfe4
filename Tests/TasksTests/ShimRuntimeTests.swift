import Core
import Linux
import Support
import Testing

@testable import Tasks

/// On the real berth-shim and the real runc.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ShimRuntimeTests {
  @Test func theContractHolds() async throws {
    try await PodBench.run { bench in
      try await TaskRuntimeContract(bench).check()
      for name in try Files.list(bench.scratch + "/state") { Scratch.remove("\(bench.scratch)/state/\(name)") }
    }
  }
}
