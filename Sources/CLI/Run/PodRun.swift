import BerthAPI
import CRIAPI
import Core
import Linux
import SwiftProtobuf

/// One `berth run`: makes the pod, follows its output, cleans up whatever was made, however it ends.
struct PodRun: Sendable {
  let runtime: Runtime
  let plan: RunPlan
  let console: Console
  let interruption: Interruption
  var quietPull = false
  /// The pod stays when its container has ended.
  var keep = false
  /// Returns as soon as the container runs; the pod stays.
  var detach = false
  var trust = StreamTrust()

  /// The status after Ctrl-C, as shells have it: 128 and SIGINT.
  static let interruptedStatus: Int32 = 130
  /// Seconds a container has to end by itself.
  private static let grace: Int64 = 10

  /// The container's exit code.
  func run() async throws -> Int32 {
    let outcome: Result<Int32, any Error>
    do { outcome = .success(try await runPod()) } catch { outcome = .failure(error) }
    if case .failure(let error) = outcome, error is Interrupted { console.note("stopping pod \(plan.name); once more leaves it behind") }
    if case .failure(let error) = outcome, error is Detached {
      console.note("left pod \(plan.name) running")
      return 0
    }
    let stays = (try? outcome.get()) != nil && (keep || detach)
    if !stays { try await cleanUp(after: outcome) }
    if case .failure(let error) = outcome, error is Interrupted { return Self.interruptedStatus }
    return try outcome.get()
  }

  private func runPod() async throws -> Int32 {
    let image = try await image()
    try interruption.check()
    try Files.makeDirectories(plan.logDirectory, mode: 0o755)
    let pod = try await runtime.runPod(plan.sandbox, handler: plan.runtimeHandler)
    try interruption.check()
    let container = try await runtime.createContainer(plan.container(in: pod, image: image))
    try interruption.check()
    try await runtime.startContainer(container)
    if detach {
      console.print(pod)
      return 0
    }
    return plan.stdin || plan.terminal ? try await attendInteractively(container) : try await attend(container)
  }

  /// What is here is taken as it is; only a missing image is pulled.
  private func image() async throws -> Runtime_V1_Image {
    if let image = try await runtime.image(plan.image) { return image }
    let (runtime, plan, console, quiet) = (runtime, plan, console, quietPull)
    let id = try await interruption.cutShort {
      try await PullDisplay.pull(.with { $0.reference = plan.image }, runtime, quiet ? .quiet : .people, console)
    }
    guard let image = try await runtime.image(id) else { throw Failure("pull \(plan.image): berthd does not know the image it pulled") }
    return image
  }

  func attend(_ container: String) async throws -> Int32 {
    let follower = LogFollower(
      runtime: runtime, containerID: container, path: plan.logPath, printer: LogPrinter(console: console))
    return try exitCode(try await interruption.cutShort { try await follower.follow() })
  }

  func exitCode(_ status: Runtime_V1_ContainerStatus?) throws -> Int32 {
    guard let status else { throw Failure("container \(plan.name) was removed by somebody else") }
    if status.reason != "Completed", status.reason != "Error", !status.reason.isEmpty {
      let detail = status.message.isEmpty ? "" : ": \(status.message)"
      console.complain("container \(plan.name): \(status.reason)\(detail)")
    }
    return status.exitCode
  }

  /// By label, not by what was answered: the pod may exist although the call that made it failed.
  private func cleanUp(after outcome: Result<Int32, any Error>) async throws {
    do {
      let pods = try await runtime.pods(.with { $0.labelSelector = [RunPlan.label: plan.uid] }).items
      for pod in pods {
        try await runtime.stop(.pod(pod), grace: Self.grace)
        try await runtime.removePod(pod.id)
      }
      removeLogs()
    } catch {
      // What went wrong first is what the person must hear; this comes on top.
      guard case .failure(let first) = outcome, !(first is Interrupted) else { throw error }
      console.complain("clean up of pod \(plan.name): \(Failure(error).message)")
    }
  }

  /// Only what is ours: the directory, with the container's log and its rotated predecessors.
  private func removeLogs() {
    for name in (try? Files.list(plan.logDirectory)) ?? [] where name.hasPrefix("0.log") {
      try? Files.remove(plan.logDirectory + "/" + name)
    }
    try? Files.removeDirectory(plan.logDirectory)
  }
}
