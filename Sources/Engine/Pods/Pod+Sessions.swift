import CRIAPI
import Core
import Linux

/// Sessions whose client comes later, over the streaming server. What can be refused is refused when they are asked for.
extension Pod {
  /// Checks a session to be; it is opened, and the container looked at again, when its client has come.
  func execRequest(_ container: String, command: [String], _ streams: CommandStreams) throws -> StreamRequest {
    let record = try running(container)
    var plan = ExecSessionPlan(container: container, process: try Self.execProcess(record, command, tty: streams.terminal))
    (plan.terminal, plan.stdin, plan.stdout, plan.stderr) = (streams.terminal, streams.stdin, streams.stdout, streams.stderr)
    let exec = plan
    return .exec(streams) {
      var exec = exec
      let record = try self.ledger.container(container)
      exec.score = self.score(record)
      exec.processor = try self.execProcessor(record)
      exec.watch = record.execWatch(self.ledger.exchange)
      let current = exec
      return try await self.open(container, "exec") { try await $0.exec(current) }
    }
  }

  /// A terminal, where the container has one, carries stdout and stderr on one stream whatever was asked for.
  func attachRequest(_ container: String, _ streams: CommandStreams, tail: Int = 0) throws -> StreamRequest {
    let record = try running(container)
    let config = record.config.content
    guard config.tty || !streams.terminal else {
      throw Fault(.invalidArgument, "tty is true, but the container was created without a terminal")
    }
    guard !streams.stdin || config.stdin else {
      throw Fault(.failedPrecondition, "stdin is wanted, but the container was created without stdin")
    }
    var plan = AttachPlan(container: container)
    (plan.stdin, plan.stdout, plan.stderr) = (streams.stdin, streams.stdout, streams.stderr && !config.tty)
    plan.tail = tail
    let attach = plan
    return .attach(streams) { try await self.open(container, "attach") { try await $0.attach(attach) } }
  }

  private func running(_ container: String) throws -> ContainerRecord {
    let record = try ledger.container(container)
    guard case .running = record.state else { throw Fault(.failedPrecondition, "the container is not running") }
    return record
  }

  private func open(_ container: String, _ what: String, _ body: @Sendable (any SessionTask) async throws -> any StreamSession)
    async throws -> any StreamSession
  {
    _ = try stage("container \(container): \(what)") { try running(container) }
    guard let task = try await task() as? any SessionTask else {
      throw Fault(.unimplemented, "pod \(name): its task does not offer sessions")
    }
    return try await body(task)
  }
}
