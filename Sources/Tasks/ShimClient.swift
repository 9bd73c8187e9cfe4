import Core
import Linux
import ShimAPI
import SwiftProtobuf
import TTRPC

/// How calls reach one shim, and what their failures become.
struct ShimClient: Sendable {
  let files: ShimFiles
  let process: Pidfd
  let limits: ShimLimits
  let connection: ShimConnection

  /// Also reaps the shim where it is a child of this daemon, and ends the connection of a dead one.
  init(_ files: ShimFiles, _ process: Pidfd, _ limits: ShimLimits) {
    self.files = files
    self.process = process
    self.limits = limits
    let connection = ShimConnection(files)
    self.connection = connection
    Task.detached {
      await process.ended()
      _ = try? process.reap()
      await connection.close()
    }
  }

  func setup(_ plan: SandboxPlan) async throws(Fault) -> Int32 {
    let answer: Berth_Shim_V1_SetupResponse = try await pod("Setup", plan.request, "setup", timeout: limits.setup)
    return Int32(answer.holderPid)
  }

  func list() async throws(Fault) -> Berth_Shim_V1_ListResponse {
    try await pod("List", Berth_Shim_V1_ListRequest(), "list", timeout: limits.quick)
  }

  /// A call of containerd's task service.
  func task<Request: Message, Response: Message>(_ method: String, _ request: Request, _ stage: String) async throws(Fault) -> Response {
    try await task(method, request, stage, timeout: limits.runtime)
  }

  /// The form with another limit, or none.
  func task<Request: Message, Response: Message>(_ method: String, _ request: Request, _ stage: String, timeout: Duration?)
    async throws(Fault) -> Response
  {
    try await call("containerd.task.v3.Task", method, request, stage, timeout: timeout)
  }

  /// containerd's Wait, without end or for so long.
  func wait(_ request: Containerd_Task_V3_WaitRequest, _ stage: String, _ timeout: Duration?) async throws(Fault)
    -> Containerd_Task_V3_WaitResponse
  {
    try await call("containerd.task.v3.Task", "Wait", request, stage, timeout: timeout)
  }

  /// A call of Berth's own service.
  func pod<Request: Message, Response: Message>(_ method: String, _ request: Request, _ stage: String) async throws(Fault) -> Response {
    try await call("berth.shim.v1.Pod", method, request, stage, timeout: limits.runtime)
  }

  /// The form with another limit, or none.
  func pod<Request: Message, Response: Message>(_ method: String, _ request: Request, _ stage: String, timeout: Duration?)
    async throws(Fault) -> Response
  {
    try await call("berth.shim.v1.Pod", method, request, stage, timeout: timeout)
  }

  private func call<Request: Message, Response: Message>(
    _ service: String, _ method: String, _ request: Request, _ stage: String, timeout: Duration?
  ) async throws(Fault) -> Response {
    do {
      return try await traced(
        "\(service)/\(method)", ["rpc.system": "ttrpc", "rpc.service": .string(service), "rpc.method": .string(method)], as: .client
      ) {
        try await connection.client().call(service, method, request, timeout: timeout, metadata: Span.current?.context.headers ?? [])
      }
    } catch let error as TTRPCError where error.origin == .connection {
      throw lost(error).within(stage)
    } catch let error as TTRPCError {
      throw Fault(error).within(stage)
    } catch {
      throw Fault(error).within(stage)
    }
  }

  private func lost(_ error: TTRPCError) -> Fault {
    let words = files.lastWords()
    let what = process.hasEnded ? "the shim is dead" : "the shim's connection was lost (\(error))"
    return Fault(.unavailable, words.isEmpty ? what : "\(what); its log ends: \(words)", cause: error)
  }
}
