import Core
import FoundationEssentials
import Linux
import ShimAPI
import SwiftProtobuf

/// An exec by containerd's task service: who it is, and the calls on it.
struct ExecProcess: Sendable {
  let client: ShimClient
  let container: String
  /// The task service's `exec_id`.
  let id: String
  var watch: ExecWatch?

  private var stage: String { "container \(container): exec" }

  /// `input`, `output`, `error`: paths of FIFOs, or empty. With a terminal `output` is the URL of a console socket.
  func create(_ process: [UInt8], terminal: Bool, input: String, output: String, error: String) async throws(Fault) {
    let request = Containerd_Task_V3_ExecProcessRequest.with {
      $0.id = container
      $0.execID = id
      $0.terminal = terminal
      $0.stdin = input
      $0.stdout = output
      $0.stderr = error
      $0.spec.typeURL = "types.containerd.io/opencontainers/runtime-spec/1/Process"
      $0.spec.value = .init(process)
    }
    let _: Google_Protobuf_Empty = try await client.task("Exec", request, stage)
    watch?.added(id)
  }

  /// The process's ID.
  func start() async throws(Fault) -> Int32 {
    let request = Containerd_Task_V3_StartRequest.with {
      $0.id = container
      $0.execID = id
    }
    let answer: Containerd_Task_V3_StartResponse = try await client.task("Start", request, stage)
    watch?.started(id, Int32(bitPattern: answer.pid))
    return Int32(bitPattern: answer.pid)
  }

  func wait(timeout: Duration? = nil) async throws(Fault) -> ExitRecord {
    let request = Containerd_Task_V3_WaitRequest.with {
      $0.id = container
      $0.execID = id
    }
    let answer: Containerd_Task_V3_WaitResponse = try await client.wait(request, "\(stage): wait", timeout)
    let finished = answer.exitedAt.seconds * 1_000_000_000 + Int64(answer.exitedAt.nanos)
    let exit = ExitRecord(exitCode: Int32(bitPattern: answer.exitStatus), finishedAt: finished)
    watch?.ended(id, exit)
    return exit
  }

  func kill(_ signal: Int32, all: Bool) async throws(Fault) {
    let request = Containerd_Task_V3_KillRequest.with {
      $0.id = container
      $0.execID = id
      $0.signal = UInt32(signal)
      $0.all = all
    }
    let _: Google_Protobuf_Empty = try await client.task("Kill", request, "\(stage): kill")
  }

  func delete() async throws(Fault) {
    let request = Containerd_Task_V3_DeleteRequest.with {
      $0.id = container
      $0.execID = id
    }
    let _: Containerd_Task_V3_DeleteResponse = try await client.task("Delete", request, "\(stage): delete")
  }

  /// All that it started is killed at once, and nothing of it left in the shim.
  func discard() async {
    try? await kill(9, all: true)
    _ = try? await wait()
    try? await delete()
  }

  /// For a client that is gone: HUP, KILL for what does not mind that and for all that it started, and nothing of it left in the shim. Failures are
  /// a dead shim's, or say that it has ended already: then what it left behind goes on.
  func dismiss(after grace: Duration) async {
    let end = Task { try? await wait() }
    let isCutShort = (try? await kill(1, all: false)) != nil
    let timer = Task {
      try? await Task.sleep(for: grace)
      if !Task.isCancelled { try? await kill(9, all: true) }
    }
    _ = await end.value
    timer.cancel()
    if isCutShort { try? await kill(9, all: true) }
    try? await delete()
  }
}
