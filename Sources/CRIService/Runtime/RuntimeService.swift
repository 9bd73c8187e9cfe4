package import Engine

/// The surface of `runtime.v1.RuntimeService`: translates requests and answers, decides nothing. One file per RPC beside this one.
package struct RuntimeService: Sendable {
  let pods: PodService
  let images: ImageService
  let node: NodeStatus
  let stats: StatsService

  package init(pods: PodService, images: ImageService, node: NodeStatus, stats: StatsService) {
    self.pods = pods
    self.images = images
    self.node = node
    self.stats = stats
  }

  var ledger: Ledger { pods.ledger }
}
