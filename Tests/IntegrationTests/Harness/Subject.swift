import CRIAPI
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// A pod with a container that runs, made anew when a call has ended it, and requests that are right about it.
final class Subject {
  static let pull = "/runtime.v1.ImageService/PullImage"
  private static let streams: Set = [
    "StreamPodSandboxes", "StreamContainers", "StreamContainerStats", "StreamPodSandboxStats", "StreamPodSandboxMetrics", "StreamImages",
  ]

  private let node: Node
  private var count = 0
  private var pod = ""
  private var container = ""

  init(node: Node) { self.node = node }

  /// Nothing is asked of registries of the world.
  static func staysHere(_ message: Google_Protobuf_Empty) -> Bool {
    guard let bytes = try? message.serializedBytes() as [UInt8], let request = try? Runtime_V1_PullImageRequest(serializedBytes: bytes)
    else { return false }
    return request.image.image.hasPrefix("127.0.0.1:1/") || request.image.image.isEmpty
  }

  /// What the response says does not matter here.
  func call(_ path: String, _ message: Google_Protobuf_Empty) async throws {
    let client = try node.berth()
    if Self.streams.contains(String(path.split(separator: "/").last ?? "")) {
      for try await _ in try client.serverStreaming(path, message, returning: Google_Protobuf_Empty.self) {}
    } else {
      _ = try await client.unary(path, message, returning: Google_Protobuf_Empty.self, timeout: .seconds(30))
    }
  }

  private func renew() async throws {
    if !container.isEmpty, let status = try? await node.status(container: container), status.state == .containerRunning { return }
    if !pod.isEmpty { try await node.remove(pod: pod) }
    if try await node.images().isEmpty { try await node.importBusybox() }
    count += 1
    pod = try await node.run(try node.podConfig("subject\(count)") { $0.linux.securityContext.namespaceOptions.network = .node })
    container = try await node.launch("main", ["sh", "-c", "trap exit TERM; sleep 100000 & wait"], in: pod) { $0.stdin = true }
  }

  /// Of all calls but those that make pods and containers, and the events' stream, which has no end.
  func requests() async throws -> [(path: String, request: [UInt8])] {
    try await renew()
    let runtime = try (reading() + changing() + streaming()).map {
      ("/runtime.v1.RuntimeService/" + $0.0, try $0.1.serializedBytes() as [UInt8])
    }
    return runtime + (try images().map { ("/runtime.v1.ImageService/" + $0.0, try $0.1.serializedBytes() as [UInt8]) })
  }

  func request(_ path: String) async throws -> [UInt8] {
    try await requests().first { $0.path == path }?.request ?? []
  }

  private func reading() -> [(String, any Message)] {
    [
      ("Version", Runtime_V1_VersionRequest.with { $0.version = "v1" }),
      ("Status", Runtime_V1_StatusRequest.with { $0.verbose = true }),
      ("PodSandboxStatus", Runtime_V1_PodSandboxStatusRequest.with { ($0.podSandboxID, $0.verbose) = (pod, true) }),
      ("ListPodSandbox", Runtime_V1_ListPodSandboxRequest.with { $0.filter = podFilter }),
      ("ListContainers", Runtime_V1_ListContainersRequest.with { $0.filter = containerFilter }),
      ("ContainerStatus", Runtime_V1_ContainerStatusRequest.with { ($0.containerID, $0.verbose) = (container, true) }),
      ("ContainerStats", Runtime_V1_ContainerStatsRequest.with { $0.containerID = container }),
      ("ListContainerStats", Runtime_V1_ListContainerStatsRequest.with { $0.filter = statsFilter }),
      ("PodSandboxStats", Runtime_V1_PodSandboxStatsRequest.with { $0.podSandboxID = pod }),
      ("ListPodSandboxStats", Runtime_V1_ListPodSandboxStatsRequest.with { $0.filter = podStatsFilter }),
      ("ListMetricDescriptors", Runtime_V1_ListMetricDescriptorsRequest()),
      ("ListPodSandboxMetrics", Runtime_V1_ListPodSandboxMetricsRequest()),
      ("RuntimeConfig", Runtime_V1_RuntimeConfigRequest()),
    ]
  }

  private func changing() -> [(String, any Message)] {
    [
      ("UpdateRuntimeConfig", Runtime_V1_UpdateRuntimeConfigRequest.with { $0.runtimeConfig.networkConfig.podCidr = "10.1.0.0/24" }),
      (
        "UpdateContainerResources",
        Runtime_V1_UpdateContainerResourcesRequest.with {
          ($0.containerID, $0.linux, $0.annotations) = (container, FullConfigs.resources, ["a": "b"])
        }
      ),
      (
        "UpdatePodSandboxResources",
        Runtime_V1_UpdatePodSandboxResourcesRequest.with {
          ($0.podSandboxID, $0.overhead, $0.resources) = (pod, FullConfigs.resources, FullConfigs.resources)
        }
      ),
      ("ReopenContainerLog", Runtime_V1_ReopenContainerLogRequest.with { $0.containerID = container }),
      ("ExecSync", Runtime_V1_ExecSyncRequest.with { ($0.containerID, $0.cmd, $0.timeout) = (container, ["true", "x"], 5) }),
      (
        "Exec",
        Runtime_V1_ExecRequest.with { ($0.containerID, $0.cmd, $0.stdin, $0.stdout, $0.stderr) = (container, ["true"], true, true, true) }
      ),
      ("Attach", Runtime_V1_AttachRequest.with { ($0.containerID, $0.stdin, $0.stdout, $0.stderr) = (container, true, true, true) }),
      ("PortForward", Runtime_V1_PortForwardRequest.with { ($0.podSandboxID, $0.port) = (pod, [80]) }),
      ("StartContainer", Runtime_V1_StartContainerRequest.with { $0.containerID = container }),
      ("StopContainer", Runtime_V1_StopContainerRequest.with { ($0.containerID, $0.timeout) = (container, 1) }),
      ("RemoveContainer", Runtime_V1_RemoveContainerRequest.with { $0.containerID = container }),
      ("StopPodSandbox", Runtime_V1_StopPodSandboxRequest.with { $0.podSandboxID = pod }),
      ("RemovePodSandbox", Runtime_V1_RemovePodSandboxRequest.with { $0.podSandboxID = pod }),
      ("CheckpointContainer", Runtime_V1_CheckpointContainerRequest.with { ($0.containerID, $0.location) = (container, "/x") }),
      ("CheckpointPod", Runtime_V1_CheckpointPodRequest.with { ($0.podSandboxID, $0.outputPath) = (pod, "/x") }),
      ("RestorePod", Runtime_V1_RestorePodRequest.with { $0.checkpointPath = "/x" }),
    ]
  }

  private func streaming() -> [(String, any Message)] {
    [
      ("StreamPodSandboxes", Runtime_V1_StreamPodSandboxesRequest.with { $0.filter = podFilter }),
      ("StreamContainers", Runtime_V1_StreamContainersRequest.with { $0.filter = containerFilter }),
      ("StreamContainerStats", Runtime_V1_StreamContainerStatsRequest.with { $0.filter = statsFilter }),
      ("StreamPodSandboxStats", Runtime_V1_StreamPodSandboxStatsRequest.with { $0.filter = podStatsFilter }),
      ("StreamPodSandboxMetrics", Runtime_V1_StreamPodSandboxMetricsRequest()),
    ]
  }

  private func images() -> [(String, any Message)] {
    let image = Runtime_V1_ImageSpec.with {
      ($0.image, $0.annotations, $0.runtimeHandler) = ("127.0.0.1:1/no/such:image", ["a": "b"], "runc")
    }
    return [
      ("ListImages", Runtime_V1_ListImagesRequest.with { $0.filter.image = image }),
      ("StreamImages", Runtime_V1_StreamImagesRequest.with { $0.filter.image = image }),
      ("ImageStatus", Runtime_V1_ImageStatusRequest.with { ($0.image, $0.verbose) = (image, true) }),
      (
        "PullImage",
        Runtime_V1_PullImageRequest.with {
          ($0.image, $0.auth, $0.sandboxConfig) = (image, auth, FullConfigs.sandbox(scratch: "/x", cgroup: "/y"))
        }
      ),
      ("RemoveImage", Runtime_V1_RemoveImageRequest.with { $0.image = image }),
      ("ImageFsInfo", Runtime_V1_ImageFsInfoRequest()),
    ]
  }

  private var auth: Runtime_V1_AuthConfig { .with { ($0.username, $0.password, $0.serverAddress) = ("u", "p", "127.0.0.1:1") } }
  private var podFilter: Runtime_V1_PodSandboxFilter {
    .with { ($0.id, $0.state.state, $0.labelSelector) = (pod, .sandboxReady, ["a": "b"]) }
  }
  private var containerFilter: Runtime_V1_ContainerFilter {
    .with { ($0.id, $0.state.state, $0.podSandboxID, $0.labelSelector) = (container, .containerRunning, pod, ["a": "b"]) }
  }
  private var statsFilter: Runtime_V1_ContainerStatsFilter {
    .with { ($0.id, $0.podSandboxID, $0.labelSelector) = (container, pod, ["a": "b"]) }
  }
  private var podStatsFilter: Runtime_V1_PodSandboxStatsFilter { .with { ($0.id, $0.labelSelector) = (pod, ["a": "b"]) } }
}
