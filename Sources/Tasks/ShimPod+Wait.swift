package import Core
import Linux
import ShimAPI
import SwiftProtobuf

/// Waiting for an end outlives a lost connection, and the shim itself where that left a record.
extension ShimPod {
  package func wait(_ id: String) async throws -> ExitRecord {
    let request = Containerd_Task_V3_WaitRequest.with { $0.id = id }
    while true {
      do {
        let answer: Containerd_Task_V3_WaitResponse = try await client.task("Wait", request, "container \(id): wait", timeout: nil)
        return try await record(id, answer)
      } catch {
        let fault = Fault(error)
        guard fault.code == .unavailable || fault.code == .notFound else { throw fault }
        let isFinal = fault.code == .notFound || client.process.hasEnded
        if isFinal, let record = client.files.exitRecord(id) { return record }
        if isFinal { throw fault }
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// The task service knows code and time; the rest is in the list, or in the record of a container deleted meanwhile.
  private func record(_ id: String, _ answer: Containerd_Task_V3_WaitResponse) async throws -> ExitRecord {
    if case .stopped(let record)? = try? await states().first(where: { $0.id == id })?.phase { return record }
    if let record = client.files.exitRecord(id) { return record }
    let finished = answer.exitedAt.seconds * 1_000_000_000 + Int64(answer.exitedAt.nanos)
    return ExitRecord(exitCode: Int32(truncatingIfNeeded: answer.exitStatus), finishedAt: finished)
  }
}
