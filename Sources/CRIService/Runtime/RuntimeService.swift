package import Core
package import Engine

/// The surface of `runtime.v1.RuntimeService`: translates requests and answers, decides nothing. One file per RPC beside this one.
package struct RuntimeService: Sendable {
  let pods: PodService
  let images: ImageService
  let node: NodeStatus
  let stats: StatsService
  let metrics: MetricSelection
  /// Where clients of Exec, Attach and PortForward go.
  let streaming: any StreamingEndpoint
  let allSandboxes = WholeList<SandboxRecord>()
  let allContainers = WholeList<ContainerRecord>()

  package init(
    pods: PodService, images: ImageService, node: NodeStatus, stats: StatsService, metrics: MetricSelection,
    streaming: any StreamingEndpoint
  ) {
    self.pods = pods
    self.images = images
    self.node = node
    self.stats = stats
    self.metrics = metrics
    self.streaming = streaming
  }

  var ledger: Ledger { pods.ledger }
}
