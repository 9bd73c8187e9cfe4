package import Engine

/// The surface of `runtime.v1.RuntimeService`: translates requests and answers, decides nothing. One file per RPC beside this one.
package struct RuntimeService: Sendable {
  let pods: PodService
  let images: ImageService
  let node: NodeStatus

  package init(pods: PodService, images: ImageService, node: NodeStatus) {
    self.pods = pods
    self.images = images
    self.node = node
  }

  var ledger: Ledger { pods.ledger }
}
