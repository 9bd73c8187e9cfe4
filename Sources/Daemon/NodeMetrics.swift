import Core
import Engine
import Linux

/// What the daemon is and has, read when somebody asks.
enum NodeMetrics {
  static func register(_ pods: PodService, _ images: ImageService, in metrics: Metrics) {
    let ledger = pods.ledger
    gauge("berth_build_info", "The daemon's version.", ["version"], metrics) { [(["\(Release.version)"], 1)] }
    gauge("berth_pods", "Pod sandboxes by state.", ["state"], metrics) {
      count(ledger.sandboxes().map { "\($0.state)" }, ["creating", "ready", "notReady"])
    }
    gauge("berth_containers", "Containers by state.", ["state"], metrics) {
      count(ledger.containers().map { $0.state.word }, ["created", "running", "exited"])
    }
    gauge("berth_shims", "Shims that serve a pod.", [], metrics) {
      [([], Double(ledger.sandboxes().count { Files.exists($0.plan.directory + "/shim.json") }))]
    }
    gauge("berth_images", "Images on this node.", [], metrics) { [([], Double(images.index.list().count))] }
    gauge("berth_image_pulls_in_progress", "Pulls and imports under way.", [], metrics) { [([], Double(images.running.list().count))] }
    gauge("berth_default_runtime_info", "The handler of pods that name none.", ["runtime"], metrics) {
      [([pods.services.settings.standardHandler], 1)]
    }
    metrics.gauge(Measure("berth_node_defunct_processes", .gauge, "Processes of this node that ended and were not waited for.")) {
      [.init(labels: [], value: Double(await BlockingWork.run { ProcessTable.defunct() }))]
    }
    for measure in [Measure.deadShims, .oomKills, .skippedBytes] { metrics.add(measure, 0) }
    pods.services.stages.register()
    pods.tellLogs(to: metrics)
    ProcessMetrics.register(in: metrics)
  }

  private static func gauge(
    _ name: String, _ help: String, _ labels: [String], _ metrics: Metrics, _ read: @escaping @Sendable () -> [([String], Double)]
  ) {
    metrics.gauge(Measure(name, .gauge, help, labels: labels)) { read().map { Metrics.Sample(labels: $0.0, value: $0.1) } }
  }

  /// Of all `states`, those without any included.
  private static func count(_ found: [String], _ states: [String]) -> [([String], Double)] {
    states.map { state in ([state], Double(found.count { $0 == state })) }
  }
}

extension ContainerRecord.State {
  fileprivate var word: String {
    switch self {
    case .created: "created"
    case .running: "running"
    case .exited: "exited"
    }
  }
}
