/// Groups of the daemon's measures that an operator may choose among (`[metrics] collectors`), by what their names begin with.
package enum Collector: String, CaseIterable, Sendable {
  case calls, pods, network, images, registry, garbage, logs, events, oom, node, process

  private var prefixes: [String] {
    switch self {
    case .calls: ["berth_grpc_"]
    case .pods: ["berth_pod", "berth_container", "berth_shims", "berth_dead_shims_", "berth_stages_", "berth_default_runtime_"]
    case .network: ["berth_cni_"]
    case .images: ["berth_image"]
    case .registry: ["berth_registry_"]
    case .garbage: ["berth_gc_"]
    case .logs: ["berth_log_"]
    case .events: ["berth_events_"]
    case .oom: ["berth_oom_"]
    case .node: ["berth_node_"]
    case .process: ["process_"]
    }
  }

  /// Nil for a measure of no group, which is always told.
  package init?(of measure: Measure) {
    guard let found = Self.allCases.first(where: { $0.prefixes.contains { measure.name.hasPrefix($0) } }) else { return nil }
    self = found
  }
}
