package import GRPC

extension RuntimeService: GRPCService {
  package var name: String { "runtime.v1.RuntimeService" }

  /// What is served. Every other method of the service answers UNIMPLEMENTED, which the kubelet takes as "not there".
  package var methods: [GRPCMethod] { nodeMethods + sandboxMethods + containerMethods + statsMethods + streamMethods }

  private var nodeMethods: [GRPCMethod] {
    [
      .immediate("Version") { version($0) },
      .unary("Status") { request, _ in await status(request) },
      .immediate("RuntimeConfig") { runtimeConfig($0) },
      .unary("UpdateRuntimeConfig") { request, _ in try await updateRuntimeConfig(request) },
    ]
  }

  private var sandboxMethods: [GRPCMethod] {
    [
      .unary("RunPodSandbox") { request, _ in try await runPodSandbox(request) },
      .unary("StopPodSandbox") { request, _ in try await stopPodSandbox(request) },
      .unary("RemovePodSandbox") { request, _ in try await removePodSandbox(request) },
      .unary("UpdatePodSandboxResources") { request, _ in try await updatePodSandboxResources(request) },
      .immediate("PodSandboxStatus") { try podSandboxStatus($0) },
      .immediate("ListPodSandbox") { try listPodSandbox($0) },
    ]
  }

  private var containerMethods: [GRPCMethod] {
    [
      .unary("CreateContainer") { request, _ in try await createContainer(request) },
      .unary("StartContainer") { request, _ in try await startContainer(request) },
      .unary("StopContainer") { request, _ in try await stopContainer(request) },
      .unary("RemoveContainer") { request, _ in try await removeContainer(request) },
      .immediate("ListContainers") { try listContainers($0) },
      .immediate("ContainerStatus") {
        try containerStatus($0)
      } otherwise: {
        try await verboseContainerStatus($0)
      },
      .unary("UpdateContainerResources") { request, _ in try await updateContainerResources(request) },
      .unary("ReopenContainerLog") { request, _ in try await reopenContainerLog(request) },
      .unary("ExecSync") { request, _ in try await execSync(request) },
      .unary("Exec") { request, _ in try await exec(request) },
      .unary("Attach") { request, _ in try await attach(request) },
      .immediate("PortForward") { try portForward($0) },
    ]
  }

  private var statsMethods: [GRPCMethod] {
    [
      .encoded("ContainerStats") { request, _ in try await containerStats(request) },
      .encoded("ListContainerStats") { request, _ in try await listContainerStats(request) },
      .encoded("PodSandboxStats") { request, _ in try await podSandboxStats(request) },
      .encoded("ListPodSandboxStats") { request, _ in try await listPodSandboxStats(request) },
      .immediate("ListMetricDescriptors") { listMetricDescriptors($0) },
      .unary("ListPodSandboxMetrics") { request, _ in try await listPodSandboxMetrics(request) },
    ]
  }

  private var streamMethods: [GRPCMethod] {
    [
      .encodedStreaming("StreamPodSandboxes") { request, _, writer in try await streamPodSandboxes(request, writer) },
      .encodedStreaming("StreamContainers") { request, _, writer in try await streamContainers(request, writer) },
      .encodedStreaming("StreamContainerStats") { request, _, writer in try await streamContainerStats(request, writer) },
      .encodedStreaming("StreamPodSandboxStats") { request, _, writer in try await streamPodSandboxStats(request, writer) },
      .encodedStreaming("StreamPodSandboxMetrics") { request, _, writer in try await streamPodSandboxMetrics(request, writer) },
      .serverStreaming("GetContainerEvents") { request, _, writer in try await getContainerEvents(request, writer) },
    ]
  }
}
