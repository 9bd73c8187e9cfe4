package import Core
import Testing

/// What every ``TaskRuntime`` does, fakes included. A new sandbox for each promise.
package struct TaskRuntimeContract: Sendable {
  /// What a container of the suite is to run.
  package enum Program: Sendable {
    case exits(Int32)
    /// Until a signal ends it.
    case sleeps
    /// A command that is not in its image.
    case missing
  }

  /// The surroundings: plans that the runtime can carry out.
  package protocol Surroundings: Sendable {
    var runtime: any TaskRuntime { get }
    func sandbox() throws -> SandboxPlan
    func container(_ program: Program, in sandbox: SandboxPlan, _ pod: any PodTask) throws -> ContainerPlan
  }

  private let place: any Surroundings

  package init(_ place: any Surroundings) { self.place = place }

  package func check() async throws {
    try await inPod(runsAContainerToItsEnd)
    try await inPod(tellsAWaiterAtOnceOfAnEndLongPast)
    try await inPod(killsWhatRuns)
    try await inPod(reportsACommandThatIsMissing)
    try await inPod(deletesWithoutComplaint)
    try await inPod(doesNotKnowStrangers)
    try await inPod(refusesToLeaveContainersBehind)
    try await inPod(letsAWaiterGo)
    try await inPod(isFoundAgain)
    try await shutsDownForGood()
    try await survivesReapingTwice()
  }

  private func inPod(_ body: (any PodTask, SandboxPlan) async throws -> Void) async throws {
    let plan = try place.sandbox()
    let pod = try await place.runtime.start(plan)
    #expect(pod.sandboxID == plan.id)
    do { try await body(pod, plan) } catch {
      try? await place.runtime.reap(plan, containers: [])
      throw error
    }
    try await pod.shutdown()
    await pod.awaitDeath()
  }

  private func run(_ program: Program, in plan: SandboxPlan, _ pod: any PodTask) async throws -> String {
    let container = try place.container(program, in: plan, pod)
    try await pod.create(container)
    _ = try await pod.start(container.id)
    return container.id
  }

  private func runsAContainerToItsEnd(_ pod: any PodTask, _ plan: SandboxPlan) async throws {
    let container = try place.container(.exits(7), in: plan, pod)
    try await pod.create(container)
    #expect(try await pod.states().map(\.id) == [container.id])
    let started = try await pod.start(container.id)
    #expect(started.startedAt > 0)
    let end = try await pod.wait(container.id)
    #expect(end.exitCode == 7)
    #expect(end.finishedAt >= started.startedAt)
    #expect(end.reason.isEmpty)
    #expect(!end.oomKilled)
    #expect(try await pod.states().map(\.phase) == [.stopped(end)])
    try await pod.delete(container.id)
    #expect(try await pod.states().isEmpty)
  }

  private func tellsAWaiterAtOnceOfAnEndLongPast(_ pod: any PodTask, _ plan: SandboxPlan) async throws {
    let id = try await run(.exits(0), in: plan, pod)
    let first = try await pod.wait(id)
    #expect(try await pod.wait(id) == first)
    #expect(first.exitCode == 0)
    try await pod.delete(id)
  }

  private func killsWhatRuns(_ pod: any PodTask, _ plan: SandboxPlan) async throws {
    let id = try await run(.sleeps, in: plan, pod)
    #expect(try await pod.states().map(\.phase) == [.running])
    async let end = pod.wait(id)
    try await pod.kill(id, signal: 9, all: false)
    #expect(try await end.exitCode == 137)
    await expect(.notFound) { try await pod.kill(id, signal: 15, all: false) }
    try await pod.delete(id)
  }

  private func reportsACommandThatIsMissing(_ pod: any PodTask, _ plan: SandboxPlan) async throws {
    let container = try place.container(.missing, in: plan, pod)
    try await pod.create(container)
    await expect(.failedPrecondition) { _ = try await pod.start(container.id) }
    let end = try await pod.wait(container.id)
    #expect(end.exitCode == 128)
    #expect(end.reason == "StartError")
    #expect(!end.message.isEmpty)
    try await pod.delete(container.id)
  }

  private func deletesWithoutComplaint(_ pod: any PodTask, _ plan: SandboxPlan) async throws {
    let id = try await run(.exits(1), in: plan, pod)
    _ = try await pod.wait(id)
    try await pod.delete(id)
    try await pod.delete(id)
    try await pod.delete("never-there")
  }

  private func doesNotKnowStrangers(_ pod: any PodTask, _ plan: SandboxPlan) async throws {
    await expect(.notFound) { try await pod.kill("stranger", signal: 9, all: true) }
    await expect(.notFound) { _ = try await pod.wait("stranger") }
    await expect(.notFound) { _ = try await pod.start("stranger") }
    await expect(.notFound) { try await pod.reopenLog("stranger") }
    await expect(.notFound) { _ = try await pod.execSync(ExecPlan(container: "stranger", process: Array("{}".utf8), timeout: 0)) }
  }

  private func refusesToLeaveContainersBehind(_ pod: any PodTask, _ plan: SandboxPlan) async throws {
    let id = try await run(.sleeps, in: plan, pod)
    await expect(.failedPrecondition) { try await pod.shutdown() }
    #expect(try await pod.states().map(\.phase) == [.running])
    try await pod.kill(id, signal: 9, all: true)
    _ = try await pod.wait(id)
    try await pod.delete(id)
  }

  private func letsAWaiterGo(_ pod: any PodTask, _ plan: SandboxPlan) async throws {
    let id = try await run(.sleeps, in: plan, pod)
    let waiter = Task { try await pod.wait(id) }
    waiter.cancel()
    await #expect(throws: (any Error).self) { try await waiter.value }
    #expect(try await pod.states().map(\.phase) == [.running])
    try await pod.kill(id, signal: 9, all: false)
    _ = try await pod.wait(id)
    try await pod.delete(id)
  }

  private func isFoundAgain(_ pod: any PodTask, _ plan: SandboxPlan) async throws {
    let id = try await run(.sleeps, in: plan, pod)
    let again = try await place.runtime.adopt(plan)
    #expect(again.shimPID == pod.shimPID)
    #expect(again.holderPID == pod.holderPID)
    #expect(try await again.states() == pod.states())
    async let end = again.wait(id)
    try await again.kill(id, signal: 9, all: false)
    #expect(try await end.exitCode == 137)
    try await again.delete(id)
  }

  private func shutsDownForGood() async throws {
    let plan = try place.sandbox()
    let pod = try await place.runtime.start(plan)
    try await pod.shutdown()
    try await pod.shutdown()
    await pod.awaitDeath()
    await expect(.unavailable) { _ = try await pod.states() }
    await expect(.unavailable) { _ = try await pod.wait("any") }
    await expect(.notFound) { _ = try await place.runtime.adopt(plan) }
  }

  private func survivesReapingTwice() async throws {
    let plan = try place.sandbox()
    let pod = try await place.runtime.start(plan)
    let container = try place.container(.sleeps, in: plan, pod)
    try await pod.create(container)
    _ = try await pod.start(container.id)
    try await place.runtime.reap(plan, containers: [container])
    await pod.awaitDeath()
    await expect(.notFound) { _ = try await place.runtime.adopt(plan) }
    try await place.runtime.reap(plan, containers: [container])
  }

  private func expect(_ code: Fault.Code, _ body: () async throws -> Void, at location: SourceLocation = #_sourceLocation) async {
    do {
      try await body()
      Issue.record("no error, where \(code) was due", sourceLocation: location)
    } catch {
      #expect(Fault(error).code == code, "\(error)", sourceLocation: location)
    }
  }
}
