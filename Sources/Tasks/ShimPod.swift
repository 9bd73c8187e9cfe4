package import Core
import FoundationEssentials
import Linux
import ShimAPI
import SwiftProtobuf

/// One pod through its berth-shim: containerd's task service and Berth's own beside it, over ttrpc.
package final class ShimPod: PodTask {
  package let sandboxID: String
  package let holderPID: Int32
  package var shimPID: Int32 { client.process.pid }

  let client: ShimClient
  let cgroups: CgroupReader
  private let remains: SandboxRemains
  /// Nil where it has ended already: a daemon that was away finds it so.
  private let holder: Pidfd?
  /// Of what its containers are handed (SELinux).
  let fileLabel: String?

  init(_ plan: SandboxPlan, holder: Int32, _ client: ShimClient, _ remains: SandboxRemains) {
    sandboxID = plan.id
    fileLabel = plan.fileLabel
    holderPID = holder
    // Only a child of the shim is the holder: the number may have been given away.
    self.holder = ProcessTable.parent(holder) == client.process.pid ? try? Pidfd.open(holder) : nil
    self.client = client
    self.remains = remains
    cgroups = CgroupReader(remains.cgroups)
  }

  package func create(_ plan: ContainerPlan) async throws {
    let input = try labelledInput(plan)
    do { try await handOver(plan) } catch {
      if let input { try? Files.remove(input) }
      throw error
    }
  }

  /// Not a part of ``create(_:)``: as one coroutine the optimizer of Swift 6.3.1 crashes on it.
  private func handOver(_ plan: ContainerPlan) async throws {
    let _: Containerd_Task_V3_CreateTaskResponse = try await client.task("Create", plan.request, "container \(plan.id): create")
  }

  /// The FIFO of a stdin that has a label, made before the shim would make it without one.
  private func labelledInput(_ plan: ContainerPlan) throws -> String? {
    guard plan.stdin, !plan.terminal, let fileLabel else { return nil }
    let input = client.files.input(plan.id)
    try Fifo.make(input, label: fileLabel)
    return input
  }

  package func start(_ id: String) async throws -> TaskState {
    let request = Containerd_Task_V3_StartRequest.with { $0.id = id }
    let answer: Containerd_Task_V3_StartResponse = try await client.task("Start", request, "container \(id): start")
    if let state = try? await states().first(where: { $0.id == id }) { return state }
    return TaskState(id: id, pid: Int32(answer.pid), phase: .running, startedAt: 0)
  }

  package func kill(_ id: String, signal: Int32, all: Bool) async throws {
    let request = Containerd_Task_V3_KillRequest.with {
      $0.id = id
      $0.signal = UInt32(signal)
      $0.all = all
    }
    let _: Google_Protobuf_Empty = try await client.task("Kill", request, "container \(id): kill")
  }

  package func delete(_ id: String) async throws {
    let request = Containerd_Task_V3_DeleteRequest.with { $0.id = id }
    do {
      let _: Containerd_Task_V3_DeleteResponse = try await client.task("Delete", request, "container \(id): delete")
    } catch {
      if error.code != .notFound { throw error }
    }
  }

  package func states() async throws -> [TaskState] { try await client.list().containers.map { TaskState($0) } }

  package func reopenLog(_ id: String) async throws {
    let request = Berth_Shim_V1_ReopenLogRequest.with { $0.id = id }
    let _: Berth_Shim_V1_ReopenLogResponse = try await client.pod("ReopenLog", request, "container \(id): reopen log")
  }

  package func logLoss(beyond known: UInt64) async throws -> [TaskState] {
    let request = Berth_Shim_V1_AwaitLogLossRequest.with { $0.known = known }
    let answer: Berth_Shim_V1_ListResponse = try await client.pod("AwaitLogLoss", request, "log losses", timeout: nil)
    return answer.containers.map { TaskState($0) }
  }

  package func shutdown() async throws {
    if !client.process.hasEnded {
      do {
        let _: Berth_Shim_V1_TeardownResponse = try await client.pod("Teardown", Berth_Shim_V1_TeardownRequest(), "teardown")
      } catch {
        if error.code != .unavailable { throw error }
      }
    }
    try await remains.clear(graceful: true)
  }

  package func awaitDeath() async {
    if let holder {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await self.client.process.ended() }
        group.addTask { await holder.ended() }
        await group.next()
        group.cancelAll()
      }
    }
    await awaitLastExits()
  }

  /// Containers that shared the holder's PID namespace died with it, and the shim is about to write down how: it has a moment for that.
  private func awaitLastExits() async {
    for _ in 0..<25 where !client.process.hasEnded {
      guard let states = try? await states(), !states.allSatisfy(\.isStopped) else { return }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}
