package import Core
import Linux
package import Logging

/// Pod networking by CNI plugins: configuration from a directory, plugins from others, what was attached remembered in files.
///
/// Calls for one sandbox follow each other; different sandboxes are attached and detached side by side.
package final class CNINetwork: PodNetwork {
  /// Where things are and how long they may take.
  package struct Settings: Sendable {
    package var configurationDirectory = "/etc/cni/net.d"
    /// Networks that a pod is attached to, the first ones of the directory; 0 for all.
    package var networks = 1
    /// Name of the network that comes first, whatever its file is called; `nil` for the first file's.
    package var preferred: String?
    /// Further directories that pods may be attached from (``NetworkAttachment/configurationDirectory``): their garbage is collected, too.
    package var furtherDirectories: Set<String> = []
    /// Which of a pod's addresses is its first.
    package var preference = AddressPreference.cni
    /// A file that becomes a network configuration when the kubelet tells the node's pod CIDR; empty for none.
    package var template = ""
    package var pluginDirectories = ["/opt/cni/bin", "/usr/lib/cni"]
    /// Attachment records are kept in its `cni` directory.
    package var root = "/var/lib/berth"
    /// A pod's networks are attached one after the other instead of at once.
    package var serially = false
    /// CHECK of all that was attached before the pod has it.
    package var checksAttached = false
    /// For all ADDs of a pod together, and the CHECKs after them. A kubelet waits four minutes for a sandbox: this and the DELs after it fit in.
    package var addLimit = Duration.seconds(90)
    /// For all DELs of a pod together. A kubelet waits two minutes for a sandbox to stop; what takes longer goes on in the background.
    package var deleteLimit = Duration.seconds(60)
    package var statusLimit = Duration.seconds(10)
    /// For the GC of one network; pods wait for it.
    package var collectLimit = Duration.seconds(15)
    /// How long a pod waits for a configuration and its plugins.
    package var readyLimit = Duration.zero
    /// How long a network that has worked may fail its STATUS.
    package var statusGrace = Duration.zero
    package var hostPorts = HostPorts.network
    /// Before a failed DEL is tried again for the first time; doubles up to five minutes.
    package var retryDelay = Duration.seconds(1)

    package init() {}
  }

  private let settings: Settings
  private let directory: ConfigurationDirectory
  private let plugins: PluginDirectories
  private let cache: AttachmentCache
  private let turns = Turns()
  private let collection = GarbageTurn()
  private let retries: DetachRetries
  private let grace: StatusGrace
  /// After a restart all pods are checked at once.
  private let checks = Slots(4)
  private let logger: Logger

  /// Reads what was attached before and goes on with the DELs that had failed.
  package init(_ settings: Settings, metrics: Metrics = Metrics(), logger: Logger) throws(Fault) {
    self.settings = settings
    self.logger = logger
    directory = ConfigurationDirectory(path: settings.configurationDirectory, count: settings.networks, preferred: settings.preferred)
    plugins = PluginDirectories(settings.pluginDirectories, metrics)
    grace = StatusGrace(settings.statusGrace)
    do { cache = try AttachmentCache(settings.root + "/cni", logger: logger) } catch { throw Fault(error).within("network") }
    let detaching = Detaching(
      settings: settings, directory: directory, plugins: plugins, cache: cache, turns: turns, logger: logger)
    retries = DetachRetries(firstDelay: settings.retryDelay) { await detaching.retry($0) }
    self.detaching = detaching
    for entry in cache.pending { retries.begin(entry.sandboxID, failures: entry.attempts) }
  }

  private let detaching: Detaching

  /// Ends background work; failed DELs are taken up again by the next process.
  package func close() async {
    await retries.close()
    cache.close()
  }

  package func status() async throws {
    try await stage("network") {
      var worked = true
      for network in try directory.networks() {
        let chain = Chain(network: network, directories: plugins)
        try chain.findPlugins()
        do throws(Fault) { try await chain.status(until: .now + settings.statusLimit) } catch {
          guard grace.covers() else { throw error }
          logger.warning("network \(network.name): within its grace period: \(error)")
          worked = false
        }
      }
      if worked { grace.note() }
    }
  }

  package func attach(_ attachment: NetworkAttachment) async throws -> NetworkResult {
    try await stage("network") {
      guard Names.isValid(attachment.sandboxID) else {
        throw Fault(.invalidArgument, "sandbox ID \"\(attachment.sandboxID)\" is not allowed")
      }
      return try await turns.run(attachment.sandboxID) { try await add(attachment) }
    }
  }

  package func detach(_ sandboxID: String, netnsPath: String?) async throws {
    await turns.run(sandboxID) { await delete(sandboxID, netnsPath: netnsPath) }
  }

  /// Whether the attachment is as its plugins made it; nothing for networks that cannot tell.
  package func check(_ sandboxID: String) async throws {
    try await stage("network") {
      try await turns.run(sandboxID) {
        guard let record = cache.record(sandboxID) else { throw Fault(.notFound, "sandbox \(sandboxID) is not attached") }
        try await checks.with {
          try await verify(record, until: .now + settings.addLimit)
        }
      }
    }
  }

  /// CHECK of every network of an attachment.
  private func verify(_ record: AttachmentRecord, until deadline: ContinuousClock.Instant) async throws(Fault) {
    for part in [record] + record.additional {
      guard let network = part.network else { continue }
      try await Chain(network: network, directories: plugins).check(part, until: deadline)
    }
  }

  /// Asks the plugins (CNI 1.1) to release all that belongs to no attachment known here.
  ///
  /// A pod attached after the list was made would be taken for garbage: attachments that are not on it wait.
  package func collectGarbage() async throws {
    try await stage("network") {
      try await collection.run { [self] in
        let known = cache.attachments + cache.pending.map(\.sandboxID)
        for (index, network) in try everyNetwork() {
          let valid = known.map { Target(containerID: $0, netns: "", ifName: "eth\(index)", arguments: "") }
          try await Chain(network: network, directories: plugins).collectGarbage(valid: valid, until: .now + settings.collectLimit)
        }
      }
    }
  }

  /// The networks that pods may have, and which interface they are on. A further directory may be empty: then nobody has them.
  private func everyNetwork() throws(Fault) -> [(index: Int, network: NetworkList)] {
    let further = settings.furtherDirectories.sorted().flatMap { ConfigurationDirectory(path: $0, count: 0).read().networks.enumerated() }
    return (try directory.networks().enumerated() + further).map { (index: $0.offset, network: $0.element) }
  }

  /// Where a network is configured already, or there is no template, nothing happens: something else takes care of the directory.
  package func configure(podCIDRs: [String]) async throws {
    guard !settings.template.isEmpty, directory.read().networks.isEmpty else { return }
    try stage("network: template \(settings.template)") {
      let text = String(decoding: try Files.read(settings.template, limit: 1 << 20), as: UTF8.self)
      let configuration = try ConfigurationTemplate(text).render(podCIDRs)
      _ = try NetworkList(try JSON(parsing: Array(configuration.utf8)))
      try Files.makeDirectories(settings.configurationDirectory, mode: 0o755)
      try Files.replace(
        settings.configurationDirectory + "/10-berth.conflist", with: Array(configuration.utf8), mode: 0o644, durable: false)
    }
    logger.notice("network configured from its template", metadata: ["podCIDRs": "\(podCIDRs.joined(separator: ", "))"])
  }

  func result(_ sandboxID: String) -> NetworkResult? {
    cache.addresses(sandboxID).map { NetworkResult(addresses: settings.preference.sorted($0)) }
  }
  package func attachments() throws -> [String] { cache.attachments }
  package func results(of sandboxID: String) -> [(interface: String, result: JSON)] {
    guard let record = cache.record(sandboxID) else { return [] }
    return ([record] + record.additional).compactMap { part in part.result.map { (part.target.ifName, $0) } }
  }

  package func pending() -> [PendingDetach] { cache.pending }

  private func add(_ attachment: NetworkAttachment) async throws -> NetworkResult {
    if let known = cache.record(attachment.sandboxID) {
      // The same request again gets the finished result; an attempt that was cut short is undone first.
      if let result = result(attachment.sandboxID), known.target.netns == attachment.netnsPath { return result }
      await delete(attachment.sandboxID, netnsPath: nil)
    }
    try await detaching.settle(attachment.sandboxID)
    var place = directory
    if let other = attachment.configurationDirectory { place = ConfigurationDirectory(path: other, count: directory.count) }
    place.count = attachment.networks ?? place.count
    let found = try await Readiness(limit: settings.readyLimit).networks(place, plugins)
    let networks = try settings.hostPorts.completed(found, for: attachment, plugins)
    var record = try AttachmentRecord(attachment, networks: networks)
    try cache.save(record)
    // One that begins from here on knows of this sandbox; one that began before does not, and would release what plugins give to it.
    await collection.wait()
    let deadline = ContinuousClock.now + settings.addLimit
    do {
      let result = try await connect(networks, &record, until: deadline)
      let addresses = try Results.addresses(result, ifName: record.target.ifName)
      record.result = result
      try cache.save(record)
      if settings.checksAttached { try await verify(record, until: deadline) }
      return NetworkResult(addresses: settings.preference.sorted(addresses))
    } catch {
      await delete(attachment.sandboxID, netnsPath: nil)
      throw error
    }
  }

  /// ADD of every network; returns the result of the first, those of the others are in the record.
  private func connect(
    _ networks: [NetworkList], _ record: inout AttachmentRecord, until deadline: ContinuousClock.Instant
  ) async throws -> JSON {
    let calls = zip(networks, [record] + record.additional).map { network, part in
      AttachmentCall(chain: Chain(network: network, directories: plugins), record: part, deadline: deadline)
    }
    guard settings.serially || calls.count == 1 else { return try await AttachmentCall.atOnce(calls, &record) }
    let first = try await calls[0].run()
    for (index, call) in calls.enumerated().dropFirst() {
      record.additional[index - 1].result = try await call.run()
      try cache.save(record)
    }
    return first
  }

  /// In a task of its own: it runs to its end even where the caller was cancelled.
  private func delete(_ sandboxID: String, netnsPath: String?) async {
    let failures = await Task { await detaching.first(sandboxID, netnsPath: netnsPath) }.value
    if let failures { retries.begin(sandboxID, failures: failures) }
  }
}
