import Core
import Linux
import Logging

/// DEL from what was remembered at ADD, the first time and again.
struct Detaching: Sendable {
  let settings: CNINetwork.Settings
  let directory: ConfigurationDirectory
  let plugins: PluginDirectories
  let cache: AttachmentCache
  let turns: Turns
  let logger: Logger

  /// Within the sandbox's turn. Nil once nothing is attached; else how often DEL has failed, and it is queued.
  func first(_ sandboxID: String, netnsPath: String?) async -> Int? {
    guard var record = cache.record(sandboxID) else { return nil }
    if let netnsPath { record.target.netns = netnsPath }
    do {
      try await delete(record)
      cache.remove(sandboxID)
      return nil
    } catch {
      return postpone(record, error)
    }
  }

  /// Another attempt for a queued sandbox, in its turn. Nil once it is done.
  func retry(_ sandboxID: String) async -> Int? {
    await turns.run(sandboxID) { () async -> Int? in
      guard let record = cache.pendingRecord(sandboxID) else { return nil }
      do throws(Fault) {
        try await delete(record)
        cache.removePending(sandboxID)
        logger.notice("network detached at last", metadata: ["sandbox": "\(sandboxID)", "failures": "\(record.failures)"])
        return nil
      } catch {
        // The daemon ends: not the plugin's failure.
        return error.code == .cancelled ? record.failures : postpone(record, error)
      }
    }
  }

  /// Within the sandbox's turn, before it is attached again: a queued DEL must not come after the new ADD.
  func settle(_ sandboxID: String) async throws(Fault) {
    guard let record = cache.pendingRecord(sandboxID) else { return }
    do { try await delete(record) } catch { throw Fault(.unavailable, "an earlier detach has not finished: \(error)", cause: error) }
    cache.removePending(sandboxID)
  }

  /// All networks, the last first, whatever becomes of each; the first failure is thrown.
  private func delete(_ record: AttachmentRecord) async throws(Fault) {
    let deadline = ContinuousClock.now + settings.deleteLimit
    // A plugin is told of a namespace that is gone by an empty path, and releases what it holds outside of it.
    let netns = Files.isNamespace(record.target.netns) ? record.target.netns : ""
    var failure: Fault?
    for var part in record.additional.reversed() + [record] {
      part.target.netns = netns
      do throws(Fault) {
        let network = if let known = part.network { known } else { try directory.networks()[0] }
        try await Chain(network: network, directories: plugins).delete(part, until: deadline)
      } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  private func postpone(_ record: AttachmentRecord, _ error: Fault) -> Int {
    var record = record
    record.failures += 1
    record.lastError = "\(error)"
    cache.postpone(record)
    // The first and then ever fewer: 1, 2, 4, 8, …
    if record.failures & (record.failures - 1) == 0 {
      logger.error(
        "network not detached: will be tried again",
        metadata: ["sandbox": "\(record.target.containerID)", "failures": "\(record.failures)", "error": "network: \(error)"])
    }
    return record.failures
  }
}
