package import Core
package import Logging
import Synchronization

/// What pods are made of: the contracts that ``PodService`` and ``Pod`` work with.
package struct PodServices: Sendable {
  package let ledger: Ledger
  package let images: ImageIndex
  package let tasks: any TaskRuntime
  package let network: any PodNetwork
  package let snapshots: any Snapshotter
  package let layers: any LayerStore
  package let content: any ContentStore
  package let node: NodeFacts
  package let logger: Logger

  package init(
    ledger: Ledger, images: ImageIndex, tasks: any TaskRuntime, network: any PodNetwork, snapshots: any Snapshotter,
    layers: any LayerStore, content: any ContentStore, node: NodeFacts, logger: Logger
  ) {
    self.ledger = ledger
    self.images = images
    self.tasks = tasks
    self.network = network
    self.snapshots = snapshots
    self.layers = layers
    self.content = content
    self.node = node
    self.logger = logger
  }
}

/// What is true of this node and this daemon for its whole life.
package struct NodeFacts: Sendable {
  /// `/run/berth`: sandboxes' directories live in `<state>/sandboxes`.
  package var state: String
  /// Runtime handlers: name → path of the OCI runtime. The empty name is the default.
  package var runtimes: [String: String]
  /// What the daemon itself holds; nobody can be given more. Without `CAP_`.
  package var capabilities: Set<String>
  /// The lowest oom_score_adj that may be set: the daemon's own without CAP_SYS_RESOURCE, else -1000.
  package var minimumOOMScore: Int

  package init(state: String, runtimes: [String: String], capabilities: Set<String>, minimumOOMScore: Int) {
    self.state = state
    self.runtimes = runtimes
    self.capabilities = capabilities
    self.minimumOOMScore = minimumOOMScore
  }

  package func sandboxDirectory(_ id: String) -> String { "\(state)/sandboxes/\(id)" }
}
