import CRIAPI
import Core
import Engine
import Linux
import Spec

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
    let blocked = Measure(
      "berth_containers_seccomp_notifier_count_total", .counter,
      "System calls that containers with a seccomp notifier tried and their profiles block.", labels: ["name", "syscall"])
    metrics.gauge(blocked) { blockedCalls(ledger) }
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

  /// Of containers that are there, by names as container runtimes have long given them.
  private static func blockedCalls(_ ledger: Ledger) -> [Metrics.Sample] {
    ledger.containers().filter { $0.plan.blockedCalls != nil }.flatMap { record in
      let pod = (try? ledger.sandbox(record.sandboxID).config.content.metadata) ?? .init()
      let name = pod.runtimeName(of: record.name, record.config.content.metadata.attempt)
      return BlockedCalls(bundle: record.plan.bundle).counts().sorted { $0.key < $1.key }
        .map { Metrics.Sample(labels: [name, $0.key], value: Double($0.value)) }
    }
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
