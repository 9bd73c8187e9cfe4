package import Core
import FoundationEssentials
import Linux
import ShimAPI
import SwiftProtobuf
import Synchronization

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
  /// Of the containers that this daemon has handed over.
  private let createLimits = Mutex<[String: Duration]>([:])
  /// Of what its containers are handed (SELinux).
  let fileLabel: String?

  init(_ plan: SandboxPlan, holder: Int32, _ client: ShimClient, _ remains: SandboxRemains) throws {
    sandboxID = plan.id
    fileLabel = plan.fileLabel
    holderPID = holder
    self.holder = try Self.living(holder, of: client.process.pid)
    self.client = client
    self.remains = remains
    cgroups = CgroupReader(remains.cgroups)
  }

  /// Only a child of the shim is the holder: the number may have been given away. What cannot be told now is thrown: a pod is not dead for that.
  private static func living(_ holder: Int32, of shim: Int32) throws -> Pidfd? {
    guard Files.exists("/proc/\(holder)") else { return nil }
    let process = try Pidfd.open(holder)
    if let parent = ProcessTable.parent(holder) { return parent == shim ? process : nil }
    if process.hasEnded { return nil }
    throw Fault(.unavailable, "the pod's holder, process \(holder): /proc tells nothing of it")
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
    if let limit = plan.creation?.limit { createLimits.withLock { $0[plan.id] = .milliseconds(limit) } }
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
    let answer = try await answerToStart(request)
    if let state = try? await state(of: id) { return state }
    return TaskState(id: id, pid: Int32(answer.pid), phase: .running, startedAt: 0)
  }

  /// It waits for the create, which has a limit of its own and may take longer than other calls may.
  private func answerToStart(_ request: Containerd_Task_V3_StartRequest) async throws -> Containerd_Task_V3_StartResponse {
    let end = ContinuousClock.now + (createLimits.withLock { $0[request.id] } ?? .zero)
    while true {
      do throws(Fault) { return try await client.task("Start", request, "container \(request.id): start") } catch {
        guard error.code == .deadlineExceeded, .now < end, try await state(of: request.id)?.phase == .creating else { throw error }
      }
    }
  }

  private func state(of id: String) async throws -> TaskState? { try await states().first { $0.id == id } }

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
    createLimits.withLock { $0[id] = nil }
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
