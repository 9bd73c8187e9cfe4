import BerthAPI
import CRIAPI
import SwiftProtobuf

/// URLs of sessions; each is good for one client, within a minute.
extension Runtime {
  func exec(_ request: Runtime_V1_ExecRequest) async throws -> String {
    let answer: Runtime_V1_ExecResponse = try await connection.call(.runtime("Exec"), request, timeout: Self.patience)
    return answer.url
  }

  func attach(_ request: Berth_V1_AttachRequest) async throws -> Berth_V1_AttachResponse {
    try await connection.call(.berth("Attach"), request, timeout: Self.patience)
  }

  func portForward(_ pod: String, port: UInt16) async throws -> String {
    let request = Runtime_V1_PortForwardRequest.with { ($0.podSandboxID, $0.port) = (pod, [Int32(port)]) }
    let answer: Runtime_V1_PortForwardResponse = try await connection.call(.runtime("PortForward"), request, timeout: Self.patience)
    return answer.url
  }

  func findPod(_ text: String) async throws -> Runtime_V1_PodSandbox {
    let lookup = Lookup(subjects: try await pods().items.map(Subject.pod))
    guard case .pod(let pod) = try lookup.find(text, what: "pod") else { throw Failure("no pod '\(text)'") }
    return pod
  }
}
