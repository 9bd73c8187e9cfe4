import BerthAPI
import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// What a kubelet does, in short words.
extension Node {
  static func podConfig(_ name: String, logs: String = "", _ change: (inout Runtime_V1_PodSandboxConfig) -> Void = { _ in })
    -> Runtime_V1_PodSandboxConfig
  {
    var config = Runtime_V1_PodSandboxConfig.with {
      $0.metadata = .with {
        $0.name = name
        $0.namespace = "default"
        $0.uid = "uid-" + name
      }
      $0.hostname = name
      $0.logDirectory = logs
      $0.linux = .with { $0.cgroupParent = Node.cgroup }
    }
    change(&config)
    return config
  }

  func podConfig(_ name: String, _ change: (inout Runtime_V1_PodSandboxConfig) -> Void = { _ in }) throws -> Runtime_V1_PodSandboxConfig {
    let directory = logs + "/" + name
    try Files.makeDirectories(directory)
    return Self.podConfig(name, logs: directory, change)
  }

  func run(_ config: Runtime_V1_PodSandboxConfig, _ handler: String = "") async throws -> String {
    let request = Runtime_V1_RunPodSandboxRequest.with { ($0.config, $0.runtimeHandler) = (config, handler) }
    return try await runtime("RunPodSandbox", request, returning: Runtime_V1_RunPodSandboxResponse.self).podSandboxID
  }

  func containerConfig(
    _ name: String, _ command: [String], image: String = Node.busybox, _ change: (inout Runtime_V1_ContainerConfig) -> Void = { _ in }
  ) -> Runtime_V1_ContainerConfig {
    var config = Runtime_V1_ContainerConfig.with {
      $0.metadata = .with { $0.name = name }
      $0.image = .with { $0.image = image }
      $0.command = command
      $0.logPath = name + ".log"
    }
    change(&config)
    return config
  }

  func create(_ config: Runtime_V1_ContainerConfig, in pod: String) async throws -> String {
    let request = Runtime_V1_CreateContainerRequest.with {
      $0.podSandboxID = pod
      $0.config = config
    }
    return try await runtime("CreateContainer", request, returning: Runtime_V1_CreateContainerResponse.self).containerID
  }

  func start(container: String) async throws {
    _ = try await runtime(
      "StartContainer", Runtime_V1_StartContainerRequest.with { $0.containerID = container },
      returning: Runtime_V1_StartContainerResponse.self)
  }

  /// Creates and starts.
  func launch(_ name: String, _ command: [String], in pod: String, _ change: (inout Runtime_V1_ContainerConfig) -> Void = { _ in })
    async throws -> String
  {
    let id = try await create(containerConfig(name, command, change), in: pod)
    try await start(container: id)
    return id
  }

  /// What a container of its own prints for a shell command that ends well.
  func output(_ command: String, in pod: String, _ change: (inout Runtime_V1_ContainerConfig) -> Void = { _ in }) async throws -> String {
    let id = try await launch("c\(Int.random(in: 0..<1_000_000))", ["sh", "-c", command], in: pod, change)
    let status = try await ended(id)
    let log = try await log(id, of: pod)
    #expect(status.exitCode == 0, "\(log)\(status.message)")
    try await remove(container: id)
    return log
  }

  func stop(container: String, timeout: Int64 = 5) async throws {
    let request = Runtime_V1_StopContainerRequest.with {
      $0.containerID = container
      $0.timeout = timeout
    }
    _ = try await runtime("StopContainer", request, returning: Runtime_V1_StopContainerResponse.self)
  }

  func remove(container: String) async throws {
    _ = try await runtime(
      "RemoveContainer", Runtime_V1_RemoveContainerRequest.with { $0.containerID = container },
      returning: Runtime_V1_RemoveContainerResponse.self)
  }

  func status(container: String) async throws -> Runtime_V1_ContainerStatus {
    try await runtime(
      "ContainerStatus", Runtime_V1_ContainerStatusRequest.with { $0.containerID = container },
      returning: Runtime_V1_ContainerStatusResponse.self
    )
    .status
  }

  /// Waits until the container has ended.
  func ended(_ container: String, within seconds: Int = 30) async throws -> Runtime_V1_ContainerStatus {
    try await eventually("container \(container) ends", within: seconds) {
      let status = try await status(container: container)
      return status.state == .containerExited ? status : nil
    }
  }

  func status(pod: String) async throws -> Runtime_V1_PodSandboxStatus {
    try await runtime(
      "PodSandboxStatus", Runtime_V1_PodSandboxStatusRequest.with { $0.podSandboxID = pod },
      returning: Runtime_V1_PodSandboxStatusResponse.self
    )
    .status
  }

  func stop(pod: String) async throws {
    _ = try await runtime(
      "StopPodSandbox", Runtime_V1_StopPodSandboxRequest.with { $0.podSandboxID = pod }, returning: Runtime_V1_StopPodSandboxResponse.self)
  }

  func remove(pod: String) async throws {
    _ = try await runtime(
      "RemovePodSandbox", Runtime_V1_RemovePodSandboxRequest.with { $0.podSandboxID = pod },
      returning: Runtime_V1_RemovePodSandboxResponse.self)
  }

  func pods() async throws -> [Runtime_V1_PodSandbox] {
    try await runtime("ListPodSandbox", Runtime_V1_ListPodSandboxRequest(), returning: Runtime_V1_ListPodSandboxResponse.self).items
  }

  func containers() async throws -> [Runtime_V1_Container] {
    try await runtime("ListContainers", Runtime_V1_ListContainersRequest(), returning: Runtime_V1_ListContainersResponse.self).containers
  }

  func exec(_ container: String, _ command: [String], timeout: Int64 = 20) async throws -> Runtime_V1_ExecSyncResponse {
    let request = Runtime_V1_ExecSyncRequest.with {
      $0.containerID = container
      $0.cmd = command
      $0.timeout = timeout
    }
    return try await runtime("ExecSync", request)
  }

  /// The container's log, its records' text joined: stamps, streams and tags taken off. A log's file may come after its container's start: the shim
  /// waits for no disk.
  func log(_ container: String, of pod: String) async throws -> String {
    let status = try await status(container: container)
    guard Files.exists(status.logPath) else { return "" }
    let text = String(decoding: try Files.read(status.logPath), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: true).map { line in
      let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      return fields.count == 4 ? fields[3] + (fields[2] == "F" ? "\n" : "") : "ILL-FORMED: \(line)\n"
    }.joined()
  }
}

/// Asks again until there is an answer; fails with `what` after so many seconds.
@discardableResult
func eventually<T>(_ what: String, within seconds: Int = 15, _ ask: () async throws -> T?) async throws -> T {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < deadline {
    if let answer = try await ask() { return answer }
    try await Task.sleep(for: .milliseconds(20))
  }
  throw Fault(.deadlineExceeded, "\(what): not within \(seconds) s")
}

extension Node {
  /// kill -9 of the pod's shim.
  func killShim(of pod: String) async throws {
    let process = try Pidfd.open(try shimID(of: pod))
    try process.signal(9)
    await process.ended()
  }

  /// As PodSandboxStatus tells with `verbose`.
  func holderID(of pod: String) async throws -> Int32 {
    let request = Runtime_V1_PodSandboxStatusRequest.with {
      $0.podSandboxID = pod
      $0.verbose = true
    }
    let status = try await runtime("PodSandboxStatus", request, returning: Runtime_V1_PodSandboxStatusResponse.self)
    let said = try #require(status.info.values.joined().firstMatch(of: #/"pid":([1-9][0-9]*)/#))
    return try #require(Int32(said.1))
  }

  /// By its command line.
  func shimID(of pod: String) throws -> Int32 {
    for name in try Files.list("/proc") {
      guard let pid = Int32(name), let line = try? Files.read("/proc/\(pid)/cmdline") else { continue }
      let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      if words.first?.hasSuffix("berth-shim") == true, words.contains(pod) { return pid }
    }
    throw Fault(.notFound, "no shim of pod \(pod) runs")
  }
}
