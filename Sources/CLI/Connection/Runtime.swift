import CRIAPI
import SwiftProtobuf

/// The CRI as the commands use it.
struct Runtime: Sendable {
  let connection: any Connection

  /// For questions that berthd answers from memory.
  static let patience = Duration.seconds(10)

  // MARK: Questions

  func version() async throws -> Runtime_V1_VersionResponse {
    try await connection.call(.runtime("Version"), Runtime_V1_VersionRequest(), timeout: Self.patience)
  }

  func status(verbose: Bool) async throws -> Runtime_V1_StatusResponse {
    try await connection.call(.runtime("Status"), Runtime_V1_StatusRequest.with { $0.verbose = verbose }, timeout: Self.patience)
  }

  func pods(_ filter: Runtime_V1_PodSandboxFilter = .init()) async throws -> Runtime_V1_ListPodSandboxResponse {
    let request = Runtime_V1_ListPodSandboxRequest.with { $0.filter = filter }
    return try await connection.call(.runtime("ListPodSandbox"), request, timeout: Self.patience)
  }

  func containers(_ filter: Runtime_V1_ContainerFilter = .init()) async throws -> Runtime_V1_ListContainersResponse {
    let request = Runtime_V1_ListContainersRequest.with { $0.filter = filter }
    return try await connection.call(.runtime("ListContainers"), request, timeout: Self.patience)
  }

  func podStatus(_ id: String, verbose: Bool = false) async throws -> Runtime_V1_PodSandboxStatusResponse {
    let request = Runtime_V1_PodSandboxStatusRequest.with { ($0.podSandboxID, $0.verbose) = (id, verbose) }
    return try await connection.call(.runtime("PodSandboxStatus"), request, timeout: Self.patience)
  }

  func containerStatus(_ id: String, verbose: Bool = false) async throws -> Runtime_V1_ContainerStatusResponse {
    let request = Runtime_V1_ContainerStatusRequest.with { ($0.containerID, $0.verbose) = (id, verbose) }
    return try await connection.call(.runtime("ContainerStatus"), request, timeout: Self.patience)
  }

  // MARK: Pods

  func runPod(_ config: Runtime_V1_PodSandboxConfig, handler: String) async throws -> String {
    let request = Runtime_V1_RunPodSandboxRequest.with { ($0.config, $0.runtimeHandler) = (config, handler) }
    let answer: Runtime_V1_RunPodSandboxResponse = try await connection.call(.runtime("RunPodSandbox"), request, timeout: nil)
    return answer.podSandboxID
  }

  func stopPod(_ id: String) async throws {
    let request = Runtime_V1_StopPodSandboxRequest.with { $0.podSandboxID = id }
    let _: Runtime_V1_StopPodSandboxResponse = try await connection.call(.runtime("StopPodSandbox"), request, timeout: nil)
  }

  func removePod(_ id: String) async throws {
    let request = Runtime_V1_RemovePodSandboxRequest.with { $0.podSandboxID = id }
    let _: Runtime_V1_RemovePodSandboxResponse = try await connection.call(.runtime("RemovePodSandbox"), request, timeout: nil)
  }

  // MARK: Containers

  func createContainer(_ request: Runtime_V1_CreateContainerRequest) async throws -> String {
    let answer: Runtime_V1_CreateContainerResponse = try await connection.call(.runtime("CreateContainer"), request, timeout: nil)
    return answer.containerID
  }

  func startContainer(_ id: String) async throws {
    let request = Runtime_V1_StartContainerRequest.with { $0.containerID = id }
    let _: Runtime_V1_StartContainerResponse = try await connection.call(.runtime("StartContainer"), request, timeout: nil)
  }

  /// `grace`: seconds between the stop signal and SIGKILL.
  func stopContainer(_ id: String, grace: Int64) async throws {
    let request = Runtime_V1_StopContainerRequest.with { ($0.containerID, $0.timeout) = (id, grace) }
    let _: Runtime_V1_StopContainerResponse = try await connection.call(.runtime("StopContainer"), request, timeout: nil)
  }

  func removeContainer(_ id: String) async throws {
    let request = Runtime_V1_RemoveContainerRequest.with { $0.containerID = id }
    let _: Runtime_V1_RemoveContainerResponse = try await connection.call(.runtime("RemoveContainer"), request, timeout: nil)
  }
}
