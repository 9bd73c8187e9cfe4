import CRIAPI
import Core
import GRPC
import Support
import SwiftProtobuf
import Testing

/// Requests of any content, each taken to its end: what it makes is started, and goes again.
extension Node {
  /// A request as bytes, whatever is in them.
  func raw<Response: Message>(_ method: String, _ bytes: [UInt8], returning: Response.Type) async throws -> Response {
    try await runtime(method, try Google_Protobuf_Empty(serializedBytes: bytes), returning: Response.self)
  }

  /// CreateContainer of `bytes`, then the container's start, a moment in which it may end, and its removal. Nil where it still ran. What is refused
  /// leaves nothing, or a container whose status says why.
  @discardableResult
  func tryContainer(_ bytes: [UInt8]) async throws -> Runtime_V1_ContainerStatus? {
    let id = try await raw("CreateContainer", bytes, returning: Runtime_V1_CreateContainerResponse.self).containerID
    do { try await start(container: id) } catch let refusal as GRPCStatus {
      try await expectFailedStart(of: id, refusal)
      try await remove(container: id)
      throw refusal
    }
    let last = try await endedSoon(id)
    try await remove(container: id)
    return last
  }

  private func expectFailedStart(of id: String, _ refusal: GRPCStatus) async throws {
    let status = try await status(container: id)
    #expect(status.state == .containerExited && status.reason == "StartError" && status.exitCode == 128, "\(status)")
    #expect(refusal.message.contains(id) && !status.message.isEmpty, "\(refusal)")
    // Of a long one the kubelet is told a part.
    #expect(refusal.message.hasSuffix(status.message) || refusal.message.utf8.count > 1000, "\(refusal) but \(status.message)")
  }

  /// What is to run for longer is not waited for.
  private func endedSoon(_ id: String) async throws -> Runtime_V1_ContainerStatus? {
    for _ in 0..<25 {
      let status = try await status(container: id)
      if status.state == .containerExited { return status }
      try await Task.sleep(for: .milliseconds(20))
    }
    return nil
  }

  /// RunPodSandbox of `bytes`, and the pod's removal.
  func tryPod(_ bytes: [UInt8]) async throws {
    let id = try await raw("RunPodSandbox", bytes, returning: Runtime_V1_RunPodSandboxResponse.self).podSandboxID
    _ = try await status(pod: id)
    try await remove(pod: id)
  }
}
