import Core
import Linux

/// What Prometheus' client libraries tell of every process, of this one.
enum ProcessMetrics {
  private static let started = Measure("process_start_time_seconds", .gauge, "When the daemon began, in seconds since the epoch.")
  private static let processor = Measure("process_cpu_seconds_total", .counter, "Processor time of the daemon, user and system.")
  private static let resident = Measure("process_resident_memory_bytes", .gauge, "The daemon's resident memory.")
  private static let virtual = Measure("process_virtual_memory_bytes", .gauge, "The daemon's address space in use.")
  private static let descriptors = Measure("process_open_fds", .gauge, "The daemon's open descriptors.")
  private static let mostDescriptors = Measure("process_max_fds", .gauge, "How many it may have.")
  private static let mostVirtual = Measure("process_virtual_memory_max_bytes", .gauge, "How large that may be; -1 for any size.")
  private static let networkReceived = Measure(
    "process_network_receive_bytes_total", .counter, "Bytes that came into the daemon's network namespace.")
  private static let networkSent = Measure("process_network_transmit_bytes_total", .counter, "Bytes that left it.")

  static func register(in metrics: Metrics) {
    metrics.source(of: .process) {
      figures().map { ($0.0, [.init(labels: [], value: $0.1)]) }
    }
  }

  private static func figures() -> [(Measure, Double)] {
    var figures: [(Measure, Double)] = []
    if let own = ProcessFigures.read(Process.id) {
      figures = [
        (started, own.startedAt), (processor, own.processorTime), (resident, Double(own.resident)), (virtual, Double(own.virtual)),
      ]
    }
    if let open = try? Files.list("/proc/self/fd") { figures.append((descriptors, Double(open.count))) }
    let limits = KernelText.read("/proc/self/limits").map { ProcessCounters.softLimits($0) } ?? []
    if let limit = limits.first(where: { $0.name == "max_open_files" })?.limit { figures.append((mostDescriptors, Double(limit))) }
    if let space = limits.first(where: { $0.name == "max_address_space" }) {
      figures.append((mostVirtual, space.limit.map(Double.init) ?? -1))
    }
    return figures + network()
  }

  /// The loopback included, as Prometheus' library has it.
  private static func network() -> [(Measure, Double)] {
    guard let interfaces = NetworkCounters.read(pid: Process.id) else { return [] }
    func sum(_ bytes: KeyPath<NetworkCounters, UInt64>) -> Double { interfaces.reduce(0) { $0 + Double($1[keyPath: bytes]) } }
    return [(networkReceived, sum(\.receivedBytes)), (networkSent, sum(\.sentBytes))]
  }
}
