import FoundationEssentials
import Linux
import ShimAPI
import SwiftProtobuf
import TTRPC
import Testing

/// What came of a command in a container.
struct ExecAnswer {
  var stdout: [UInt8] = []
  var stderr: [UInt8] = []
  var exitCode: UInt32 = 0
  var timedOut = false
}

/// Execs as a daemon makes them: FIFOs, then the task service's Exec, Start, Wait and Delete.
extension TestPod {
  func exec(_ id: String, _ script: String, timeout: Duration? = nil) async throws -> ExecAnswer {
    try await exec(id, ["sh", "-c", script], timeout: timeout)
  }

  func exec(_ id: String, _ arguments: [String], timeout: Duration? = nil) async throws -> ExecAnswer {
    let exec = "e" + String(UInt64.random(in: 0...UInt64.max), radix: 16)
    let paths = ["out", "err"].map { "\(scratch)/\(exec).\($0)" }
    for path in paths { try Fifo.make(path) }
    let stdout = try Fifo.reader(paths[0])
    let stderr = try Fifo.reader(paths[1])
    try await create(exec, in: id, arguments, stdout: paths[0], stderr: paths[1], client)
    for path in paths { try Files.remove(path) }
    let output = CollectedOutput(stdout: stdout, stderr: stderr, limit: 16 << 20)
    let killer = timeout.map { time in
      Task {
        try await Task.sleep(for: time)
        try await killAll(exec, id)
      }
    }
    var answer = ExecAnswer()
    do {
      try await startExec(exec, id, client)
      answer.exitCode = try await waitExec(exec, id)
    } catch let error as TTRPCError where timeout == nil || !error.message.contains("was killed") {
      output.abandon()
      try await deleteExec(exec, id)
      throw error
    } catch {}
    killer?.cancel()
    if let killer { answer.timedOut = (try? await killer.value) != nil }
    let bytes = await output.finish(quiet: .milliseconds(200), linger: .seconds(2))
    (answer.stdout, answer.stderr) = (bytes.stdout, bytes.stderr)
    try await deleteExec(exec, id)
    return answer
  }

  func create(
    _ exec: String, in id: String, _ arguments: [String], stdout: String = "", stderr: String = "", _ client: TTRPCClient
  ) async throws {
    let request = Containerd_Task_V3_ExecProcessRequest.with {
      $0.id = id
      $0.execID = exec
      $0.stdout = stdout
      $0.stderr = stderr
      $0.spec.value = Data(Self.process(arguments).utf8)
    }
    let _: Google_Protobuf_Empty = try await client.call("containerd.task.v3.Task", "Exec", request, timeout: .seconds(60))
  }

  func startExec(_ exec: String, _ id: String, _ client: TTRPCClient) async throws {
    let request = Containerd_Task_V3_StartRequest.with {
      $0.id = id
      $0.execID = exec
    }
    let _: Containerd_Task_V3_StartResponse = try await client.call("containerd.task.v3.Task", "Start", request, timeout: .seconds(60))
  }

  private func waitExec(_ exec: String, _ id: String) async throws -> UInt32 {
    let request = Containerd_Task_V3_WaitRequest.with {
      $0.id = id
      $0.execID = exec
    }
    let answer: Containerd_Task_V3_WaitResponse = try await task("Wait", request)
    return answer.exitStatus
  }

  private func killAll(_ exec: String, _ id: String) async throws {
    let request = Containerd_Task_V3_KillRequest.with {
      $0.id = id
      $0.execID = exec
      $0.signal = 9
      $0.all = true
    }
    let _: Google_Protobuf_Empty = try await task("Kill", request)
  }

  private func deleteExec(_ exec: String, _ id: String) async throws {
    let request = Containerd_Task_V3_DeleteRequest.with {
      $0.id = id
      $0.execID = exec
    }
    let _: Containerd_Task_V3_DeleteResponse = try await task("Delete", request)
  }
}
