import Core

/// Waits for networks that are about to be configured: on a node that starts, pods and the agent that writes the configuration come at the same time.
struct Readiness: Sendable {
  /// Zero asks once.
  let limit: Duration

  private static let pause = Duration.milliseconds(200)

  /// The networks of a directory, with all their plugins in place. Past the limit FAILED_PRECONDITION with what is still missing; CANCELLED where
  /// the task is cancelled before.
  func networks(_ place: ConfigurationDirectory, _ plugins: PluginDirectories) async throws -> [NetworkList] {
    guard limit > .zero else { return try place.networks() }
    let start = ContinuousClock.now
    while true {
      switch Self.look(place, plugins) {
      case .success(let networks): return networks
      case .failure(let fault):
        let waited = start.duration(to: .now)
        if waited >= limit { throw Fault(fault.code, "\(fault.message); waited \(waited.components.seconds) s for it", cause: fault) }
        try await Task.sleep(for: min(Self.pause, limit - waited))
      }
    }
  }

  private static func look(_ place: ConfigurationDirectory, _ plugins: PluginDirectories) -> Result<[NetworkList], Fault> {
    do throws(Fault) {
      let networks = try place.networks()
      for network in networks { try Chain(network: network, directories: plugins).findPlugins() }
      return .success(networks)
    } catch {
      return .failure(error)
    }
  }
}
