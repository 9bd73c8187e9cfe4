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
    package var pluginDirectories = ["/opt/cni/bin", "/usr/lib/cni"]
    /// Attachment records are kept in its `cni` directory.
    package var root = "/var/lib/berth"
    /// For all ADDs of a pod together. A kubelet waits four minutes for a sandbox: this and the DELs after it fit in.
    package var addLimit = Duration.seconds(90)
    /// For all DELs of a pod together. A kubelet waits two minutes for a sandbox to stop; what takes longer goes on in the background.
    package var deleteLimit = Duration.seconds(60)
    package var statusLimit = Duration.seconds(10)
    /// Before a failed DEL is tried again for the first time; doubles up to five minutes.
    package var retryDelay = Duration.seconds(1)

    package init() {}
  }

  private let settings: Settings
  private let directory: ConfigurationDirectory
  private let plugins: PluginDirectories
  private let cache: AttachmentCache
  private let turns = Turns()
  private let retries: DetachRetries
  private let logger: Logger

  /// Reads what was attached before and goes on with the DELs that had failed.
  package init(_ settings: Settings, logger: Logger) throws(Fault) {
    self.settings = settings
    self.logger = logger
    directory = ConfigurationDirectory(path: settings.configurationDirectory)
    plugins = PluginDirectories(settings.pluginDirectories)
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
      let chain = Chain(network: try directory.network(), directories: plugins)
      try chain.findPlugins()
      try await chain.status(until: .now + settings.statusLimit)
    }
  }

  /// The network that pods get at the moment, the file it comes from, and files that cannot be used, with the reason.
  package func configuration() -> (network: String?, file: String?, invalid: [(file: String, reason: String)]) {
    let contents = directory.read()
    return (contents.network?.name, contents.file, contents.invalid)
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
        guard let record = cache.record(sandboxID), let network = record.network else {
          throw Fault(.notFound, "sandbox \(sandboxID) is not attached")
        }
        try await Chain(network: network, directories: plugins).check(record, until: .now + settings.addLimit)
      }
    }
  }

  /// Asks the plugins (CNI 1.1) to release all that belongs to no attachment known here.
  package func collectGarbage() async throws {
    try await stage("network") {
      let known = cache.attachments + cache.pending.map(\.sandboxID)
      let valid = known.map { Target(containerID: $0, netns: "", arguments: "") }
      try await Chain(network: try directory.network(), directories: plugins).collectGarbage(
        valid: valid, until: .now + settings.deleteLimit)
    }
  }

  package func result(_ sandboxID: String) -> NetworkResult? { cache.addresses(sandboxID).map { NetworkResult(addresses: $0) } }
  package func attachments() throws -> [String] { cache.attachments }
  package func pending() -> [PendingDetach] { cache.pending }

  private func add(_ attachment: NetworkAttachment) async throws -> NetworkResult {
    if let known = cache.record(attachment.sandboxID) {
      // The same request again gets the finished result; an attempt that was cut short is undone first.
      if let result = result(attachment.sandboxID), known.target.netns == attachment.netnsPath { return result }
      await delete(attachment.sandboxID, netnsPath: nil)
    }
    try await detaching.settle(attachment.sandboxID)
    let network = try directory.network()
    var record = try AttachmentRecord(attachment, network: network)
    try cache.save(record)
    do {
      let result = try await Chain(network: network, directories: plugins).add(record, until: .now + settings.addLimit)
      let addresses = try Results.addresses(result, ifName: record.target.ifName)
      record.result = result
      try cache.save(record)
      return NetworkResult(addresses: addresses)
    } catch {
      await delete(attachment.sandboxID, netnsPath: nil)
      throw error
    }
  }

  /// In a task of its own: it runs to its end even where the caller was cancelled.
  private func delete(_ sandboxID: String, netnsPath: String?) async {
    let failures = await Task { await detaching.first(sandboxID, netnsPath: netnsPath) }.value
    if let failures { retries.begin(sandboxID, failures: failures) }
  }
}
