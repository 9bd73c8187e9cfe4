import CRIAPI
package import Core
import Linux

extension PodService {
  /// For the CRI's Exec. INVALID_ARGUMENT for what can never be, FAILED_PRECONDITION where the container does not run.
  package func execRequest(_ id: String, command: [String], _ streams: CommandStreams) async throws -> StreamRequest {
    try check(streams)
    let record = try ledger.findContainer(id)
    let pod = try podOf(record)
    return try await stage("container \(record.id): exec") { try await pod.execRequest(record.id, command: command, streams) }
  }

  /// For the CRI's Attach.
  package func attachRequest(_ id: String, _ streams: CommandStreams) async throws -> StreamRequest {
    try check(streams)
    let record = try ledger.findContainer(id)
    let pod = try podOf(record)
    return try await stage("container \(record.id): attach") { try await pod.attachRequest(record.id, streams) }
  }

  /// With the streams that the container has; `tail` lines of its log come first.
  package func attachRequest(_ id: String, input: Bool, output: Bool, tail: Int) async throws -> (StreamRequest, CommandStreams) {
    let record = try ledger.findContainer(id)
    let config = record.config.content
    let streams = CommandStreams(
      stdin: input && config.stdin, stdout: output, stderr: output && !config.tty, terminal: config.tty && output)
    try check(streams)
    let pod = try podOf(record)
    let request = try await stage("container \(record.id): attach") { try await pod.attachRequest(record.id, streams, tail: tail) }
    return (request, streams)
  }

  /// For the CRI's PortForward. `ports` are for clients that name none themselves.
  package func portForwardRequest(_ id: String, ports: [Int32]) throws -> StreamRequest {
    let record = try ledger.findSandbox(id)
    let numbers = try ports.map { port in
      guard let number = UInt16(exactly: port), number > 0 else { throw Fault(.invalidArgument, "port: \(port) is no port number") }
      return number
    }
    guard Set(numbers).count == numbers.count, numbers.count <= 100 else {
      throw Fault(.invalidArgument, "port: \(numbers.count) ports; there may be 100, each once")
    }
    let ledger = ledger
    let id = record.id
    _ = try Self.networkOf(ledger.sandbox(id))
    return .portForward(pod: record.podName, ports: numbers) { try Self.networkOf(ledger.sandbox(id)) }
  }

  /// Path of the pod's network namespace, nil for the host's.
  private static func networkOf(_ record: SandboxRecord) throws -> String? {
    guard record.state == .ready else {
      throw Fault(.failedPrecondition, "pod \(record.podName): port-forward: sandbox \(record.id) is not ready")
    }
    return record.plan.netnsPath.isEmpty ? nil : record.plan.netnsPath
  }

  private func check(_ streams: CommandStreams) throws {
    guard streams.stdin || streams.stdout || streams.stderr else {
      throw Fault(.invalidArgument, "stdin, stdout and stderr: at least one must be true")
    }
    guard !(streams.terminal && streams.stderr) else {
      throw Fault(.invalidArgument, "tty and stderr: a terminal has one stream for both, so stderr must be false")
    }
  }
}

extension PodService {
  /// Bytes of a container's output that its log could not keep.
  package func lostLogBytes(of record: ContainerRecord) async -> UInt64 { (try? await podOf(record).lostLogBytes(record.id)) ?? 0 }
}
