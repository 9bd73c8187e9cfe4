import CRIAPI
import Engine
import GRPC
import SwiftProtobuf

extension RuntimeService {
  func listMetricDescriptors(_ request: Runtime_V1_ListMetricDescriptorsRequest) -> Runtime_V1_ListMetricDescriptorsResponse {
    .with { $0.descriptors = metrics.families.map(\.descriptor) }
  }

  /// Of all ready pods.
  func listPodSandboxMetrics(_ request: Runtime_V1_ListPodSandboxMetricsRequest) async throws -> Runtime_V1_ListPodSandboxMetricsResponse {
    let pods = await stats.details(of: try readyPods())
    return .with { $0.podMetrics = pods.map { $0.metrics(metrics) } }
  }

  func streamPodSandboxMetrics(_ request: Runtime_V1_StreamPodSandboxMetricsRequest, _ writer: EncodedResponseWriter) async throws {
    try await Batches.sendUsage(readyPods(), to: writer) {
      await stats.details(of: $0).map { [Wire.encode($0.metrics(metrics))] }
    }
  }

  private func readyPods() throws -> [SandboxEntry] {
    try entries(SandboxFilter(Runtime_V1_PodSandboxFilter.with { $0.state.state = .sandboxReady }))
  }
}

extension PodDetails {
  /// The pod's own metrics have an empty container and image, as cAdvisor's of a pod's cgroup.
  func metrics(_ selection: MetricSelection) -> Runtime_V1_PodSandboxMetrics {
    let record = entry.record
    let metadata = record.config.content.metadata
    let pod = [metadata.name, metadata.namespace]
    let subject = MetricFamily.Subject(group: group, network: network)
    let at = group?.at ?? containers.first?.group.at ?? 0
    return .with {
      $0.podSandboxID = record.id
      $0.metrics = selection.families.flatMap { $0.metrics(subject, base: pod + ["", record.id, ""], at: at) }
      $0.containerMetrics = containers.map { container in
        let config = container.entry.record.config.content
        let image = config.image.userSpecifiedImage.isEmpty ? config.image.image : config.image.userSpecifiedImage
        let base = pod + [config.metadata.name, container.entry.record.id, image]
        let subject = MetricFamily.Subject(group: container.group, container: container, filesystem: filesystem)
        return .with {
          $0.containerID = container.entry.record.id
          $0.metrics = selection.families.flatMap { $0.metrics(subject, base: base, at: container.group.at) }
        }
      }
    }
  }
}
