import SwiftProtobuf
import Synchronization

/// The standard `grpc.health.v1.Health`. The empty name is the server as a whole; it serves unless told otherwise.
package final class HealthService: GRPCService {
  private typealias Status = Grpc_Health_V1_HealthCheckResponse.ServingStatus

  private struct State {
    var statuses: [String: Status]
    var watchers: [Int: (service: String, changes: AsyncStream<Status>.Continuation)] = [:]
    var nextWatcher = 0
  }
  private let state: Mutex<State>

  package let name = "grpc.health.v1.Health"

  /// Knows `services`, all serving.
  package init(_ services: [String] = []) {
    state = Mutex(State(statuses: Dictionary(uniqueKeysWithValues: ([""] + services).map { ($0, .serving) })))
  }

  package func set(_ service: String = "", serving: Bool) {
    state.withLock { state in
      let status: Status = serving ? .serving : .notServing
      state.statuses[service] = status
      for watcher in state.watchers.values where watcher.service == service { watcher.changes.yield(status) }
    }
  }

  package var methods: [GRPCMethod] {
    [
      .unary("Check") { (request: Grpc_Health_V1_HealthCheckRequest, _) in
        guard let status = self.status(request.service) else {
          throw GRPCStatus(.notFound, "health: unknown service \"\(request.service)\"")
        }
        return Grpc_Health_V1_HealthCheckResponse.with { $0.status = status }
      },
      .serverStreaming("Watch") { (request: Grpc_Health_V1_HealthCheckRequest, _, writer) in
        for await status in self.watch(request.service) {
          try await writer.write(Grpc_Health_V1_HealthCheckResponse.with { $0.status = status })
        }
        try Task.checkCancellation()
      },
    ]
  }

  private func status(_ service: String) -> Status? { state.withLock { $0.statuses[service] } }

  /// The status now, then the newest one whenever it changed.
  private func watch(_ service: String) -> AsyncStream<Status> {
    let (stream, changes) = AsyncStream.makeStream(of: Status.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      defer { state.nextWatcher += 1 }
      state.watchers[state.nextWatcher] = (service, changes)
      changes.yield(state.statuses[service] ?? .serviceUnknown)
      return state.nextWatcher
    }
    changes.onTermination = { [weak self] _ in _ = self?.state.withLock { $0.watchers.removeValue(forKey: id) } }
    return stream
  }
}
