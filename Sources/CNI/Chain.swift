import Core

/// The plugins of a network, called in the order that a verb wants.
struct Chain: Sendable {
  let network: NetworkList
  let directories: PluginDirectories

  /// ADD of each plugin with the result of the one before it; returns the last one's.
  func add(_ record: AttachmentRecord, until deadline: ContinuousClock.Instant) async throws(Fault) -> JSON {
    var result: JSON?
    for plugin in network.plugins where !record.skipped.contains(plugin.type) {
      result = try await call(.add, plugin, record, previous: result, until: deadline)
    }
    return result ?? [:]
  }

  /// DEL in reverse order, up to the first that fails. Every plugin gets the attachment's final result, as far as there was one.
  func delete(_ record: AttachmentRecord, until deadline: ContinuousClock.Instant) async throws(Fault) {
    for plugin in network.plugins.reversed() where !record.skipped.contains(plugin.type) {
      _ = try await call(.delete, plugin, record, previous: network.version.hasCheck ? record.result : nil, until: deadline)
    }
  }

  /// CHECK in order. Nothing to do where the version or the configuration rules it out.
  func check(_ record: AttachmentRecord, until deadline: ContinuousClock.Instant) async throws(Fault) {
    guard network.version.hasCheck, !network.disableCheck else { return }
    for plugin in network.plugins where !record.skipped.contains(plugin.type) {
      _ = try await call(.check, plugin, record, previous: record.result, until: deadline)
    }
  }

  /// STATUS of each plugin; nothing to do before version 1.1.0.
  func status(until deadline: ContinuousClock.Instant) async throws(Fault) {
    guard network.version.hasStatus else { return }
    for plugin in network.plugins {
      _ = try await PluginCall(verb: .status, plugin: plugin.type, target: nil, input: common(plugin)).run(in: directories, until: deadline)
    }
  }

  /// GC: tells each plugin which attachments there are, so that it can release all others. Every plugin is asked; the first failure is thrown.
  func collectGarbage(valid: [Target], until deadline: ContinuousClock.Instant) async throws(Fault) {
    guard network.version.hasStatus, !network.disableGC else { return }
    let attachments = JSON.array(valid.map { ["containerID": .string($0.containerID), "ifname": .string($0.ifName)] })
    var failure: Fault?
    for plugin in network.plugins {
      let input = common(plugin).setting("cni.dev/valid-attachments", attachments)
      do {
        _ = try await PluginCall(verb: .collect, plugin: plugin.type, target: nil, input: input).run(in: directories, until: deadline)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  /// Plugins without a binary; FAILED_PRECONDITION names the first.
  func findPlugins() throws(Fault) {
    for plugin in network.plugins {
      _ = try stage("plugin \"\(plugin.type)\"") { try directories.find(plugin.type) }
    }
  }

  private func call(
    _ verb: Verb, _ plugin: NetworkList.Plugin, _ record: AttachmentRecord, previous: JSON?, until deadline: ContinuousClock.Instant
  ) async throws(Fault) -> JSON? {
    var input = common(plugin)
    if let previous { input = input.setting("prevResult", Results.presentable(previous, version: network.version)) }
    let wanted = (record.capabilities.members ?? []).filter { plugin.capabilities.contains($0.key) }
    if !wanted.isEmpty { input = input.setting("runtimeConfig", .object(wanted)) }
    return try await PluginCall(verb: verb, plugin: plugin.type, target: record.target, input: input).run(in: directories, until: deadline)
  }

  private func common(_ plugin: NetworkList.Plugin) -> JSON {
    plugin.configuration.setting("name", .string(network.name)).setting("cniVersion", .string(network.version.description))
  }
}
