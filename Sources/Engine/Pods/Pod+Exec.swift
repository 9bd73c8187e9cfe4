import CRIAPI
package import Core
import FoundationEssentials
import Linux
import OCI
import Spec

extension Pod {
  /// Runs a command in a running container to its end. Never joined or replayed: each call is an execution.
  /// DEADLINE_EXCEEDED after `timeout` seconds (0 for none); all that it started is killed then.
  package func execSync(_ container: String, command: [String], timeout: Int64) async throws -> ExecResult {
    try await stage("container \(container): exec") {
      guard !command.isEmpty else { throw Fault(.invalidArgument, "cmd: is empty") }
      guard timeout >= 0 else { throw Fault(.invalidArgument, "timeout \(timeout) is negative") }
      let record = try ledger.container(container)
      guard case .running = record.state else { throw Fault(.failedPrecondition, "the container is not running") }
      let (nanoseconds, overflow) = timeout.multipliedReportingOverflow(by: 1_000_000_000)
      var plan = ExecPlan(
        container: container, process: try Self.execProcess(record, command, tty: false), timeout: overflow ? 0 : nanoseconds)
      plan.outputLimit = min(plan.outputLimit, services.settings.messageLimit - 1024)
      plan.score = score(record)
      plan.processor = try execProcessor(record)
      plan.watch = record.execWatch(ledger.exchange)
      let result = try await task().execSync(plan)
      if result.timedOut { throw Fault(.deadlineExceeded, "command \(command[0]): timed out after \(timeout) s and was killed") }
      return result
    }
  }

  /// What the container's processes have now: an exec is no more likely to be killed than they are, and no less.
  nonisolated func score(_ record: ContainerRecord) -> OutOfMemoryScore {
    OutOfMemoryScore(services.settings.node.oomScore(record.resources.oomScoreAdj), cgroup: record.plan.cgroup)
  }

  nonisolated func execProcessor(_ record: ContainerRecord) throws -> Int? {
    let (settings, sandbox) = (services.settings, try ledger.sandbox(record.sandboxID))
    return try settings.execProcessor(settings.current(record, in: sandbox), in: sandbox)
  }

  /// The container's own process with another command line.
  static func execProcess(_ record: ContainerRecord, _ command: [String], tty: Bool) throws -> [UInt8] {
    Array(try JSONEncoder().encode(try ExecProcess.make(base: try record.process(), command: command, tty: tty)))
  }
}
