import BerthAPI
import CRIAPI
import Core
import Linux
import SwiftProtobuf

/// The person left the container to itself.
struct Detached: Error {}

extension PodRun {
  /// The container has run for some moments when its client comes: what it said meanwhile is in its log, and shown first.
  private static let tail: UInt32 = 100_000

  /// The container's exit code.
  func attendInteractively(_ container: String) async throws -> Int32 {
    plan.terminal ? try await attendTerminal(container) : try await attendFeeding(container)
  }

  private func attendTerminal(_ container: String) async throws -> Int32 {
    guard let answer = try await attach(container, .with { ($0.stdin, $0.tail) = (plan.stdin, Self.tail) }) else {
      return try await attend(container)
    }
    let (session, trust) = (RemoteSession.Plan.attached(answer, console: console), trust)
    let end = try await interruption.cutShort { try await Session.run(answer.url, session, trust) }
    try interruption.check()
    switch end {
    case .detached: throw Detached()
    case .failed(let message): throw Failure(message)
    case .outputClosed: return Session.brokenPipeStatus
    case .exited: return try exitCode(try await runtime.ended(container))
    }
  }

  /// Output is followed in the log, which leaves nothing out however slow we are; only input takes the other way.
  private func attendFeeding(_ container: String) async throws -> Int32 {
    guard let answer = try await attach(container, .with { ($0.stdin, $0.noOutput) = (true, true) }) else {
      return try await attend(container)
    }
    let (session, trust) = (RemoteSession.Plan.attached(answer, console: console), trust)
    let feeding = Task { try await Session.run(answer.url, session, trust) }
    defer { feeding.cancel() }
    return try await attend(container)
  }

  /// nil where the container has ended already.
  private func attach(_ container: String, _ request: Berth_V1_AttachRequest) async throws -> Berth_V1_AttachResponse? {
    var request = request
    request.containerID = container
    do { return try await runtime.attach(request) } catch let fault as Fault where fault.code == .failedPrecondition { return nil }
  }
}
