package import Core
import Linux
import Synchronization

/// A command to its end, with its output: an exec whose pipes are read here, so that the shim holds none of it.
extension ShimPod {
  /// Children may hold the pipes after the process's end: so long without output, and so long at most.
  private static let quiet = Duration.milliseconds(200)
  private static let linger = Duration.seconds(2)

  /// A cancelled waiter takes the exec along: nobody will read what it says.
  package func execSync(_ plan: ExecPlan) async throws -> ExecResult {
    let process = ExecProcess(
      client: client, container: plan.container, id: String(Identifier.random().prefix(16)), watch: plan.watch)
    let pipes = try SessionPipes(
      in: client.files.directory, name: "exec-\(process.id)", stdin: false, stdout: true, stderr: true, label: fileLabel)
    try await process.create(plan.process, terminal: false, input: "", output: pipes.stdout, error: pipes.stderr)
    guard let output = pipes.collect(limit: plan.outputLimit) else { throw Fault(.internal, "container \(plan.container): exec: no pipes") }
    let run = ExecRun(process, limits: client.limits) { [cgroups] in plan.tune($0, in: cgroups) }
    do {
      let end = try await run.end(within: plan.timeout)
      let bytes = await output.finish(quiet: Self.quiet, linger: Self.linger)
      Task { try? await process.delete() }
      return ExecResult(stdout: bytes.stdout, stderr: bytes.stderr, exitCode: end.code, timedOut: end.timedOut)
    } catch {
      output.abandon()
      Task { await process.discard() }
      throw error
    }
  }
}

extension SessionPipes {
  fileprivate func collect(limit: Int) -> CollectedOutput? {
    var streams = handOver()
    guard let stdout = streams.stdout.take(), let stderr = streams.stderr.take() else { return nil }
    return CollectedOutput(stdout: stdout, stderr: stderr, limit: limit)
  }
}

/// One start of an exec with its deadline.
private final class ExecRun: Sendable {
  private let process: ExecProcess
  private let limits: ShimLimits
  private let began: @Sendable (Int32) -> Void
  private let isExpired = Atomic(false)

  /// `began` is told the process's ID.
  init(_ process: ExecProcess, limits: ShimLimits, began: @escaping @Sendable (Int32) -> Void) {
    self.process = process
    self.limits = limits
    self.began = began
  }

  /// `timeout` in nanoseconds, 0 for none. At its end all that the exec started is killed; what does not die of that is not waited for.
  func end(within timeout: Int64) async throws(Fault) -> (code: Int32, timedOut: Bool) {
    let timer = timeout > 0 ? Task { await expire(.nanoseconds(timeout)) } : nil
    // Asked for before the start, since both are answered at about the same moment.
    let ended = Task { try await process.wait(timeout: timeout > 0 ? .nanoseconds(timeout) + limits.execGrace : nil) }
    defer {
      timer?.cancel()
      ended.cancel()
    }
    do throws(Fault) {
      began(try await process.start())
      let end = try await Self.value(of: ended)
      return isExpired.load(ordering: .acquiring) ? (137, true) : (end.exitCode, false)
    } catch {
      guard isExpired.load(ordering: .acquiring), error.code != .cancelled, error.code != .unavailable else { throw error }
      return (137, true)
    }
  }

  private static func value(of ended: Task<ExitRecord, any Error>) async throws(Fault) -> ExitRecord {
    do {
      return try await withTaskCancellationHandler {
        try await ended.value
      } onCancel: {
        ended.cancel()
      }
    } catch { throw Fault(error) }
  }

  private func expire(_ time: Duration) async {
    try? await Task.sleep(for: time)
    if Task.isCancelled { return }
    isExpired.store(true, ordering: .releasing)
    try? await process.kill(9, all: true)
  }
}
