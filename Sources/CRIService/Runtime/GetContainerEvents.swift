import CRIAPI
import Engine
import GRPC
import SwiftProtobuf

extension RuntimeService {
  /// Until the client is gone. What happened while nobody listened comes first, with the times and states of then.
  func getContainerEvents(
    _ request: Runtime_V1_GetEventsRequest, _ writer: GRPCResponseWriter<Runtime_V1_ContainerEventResponse>
  ) async throws {
    let subscription = ledger.events.subscribe()
    defer { subscription.end() }
    try await writer.open()
    while let events = try await subscription.next() {
      for (index, event) in events.enumerated() {
        do { try await writer.write(response(event)) } catch {
          subscription.end(unsent: Array(events[index...]))
          throw error
        }
      }
    }
  }

  private func response(_ event: LedgerEvent) -> Runtime_V1_ContainerEventResponse {
    .with {
      $0.containerID = event.id
      $0.containerEventType = event.kind.cri
      $0.createdAt = event.at
      if let sandbox = event.sandbox {
        $0.podSandboxStatus = sandbox.criStatus
        $0.containersStatuses = statuses(event.containers, of: sandbox)
      }
    }
  }

  /// Newest first: of a container's attempts kubelets with EventedPLEG take the first as how it is now.
  func statuses(_ containers: [ContainerRecord], of sandbox: SandboxRecord) -> [Runtime_V1_ContainerStatus] {
    containers.sorted { $0.createdAt > $1.createdAt }.map { record in
      record.criStatus(logDirectory: sandbox.config.content.logDirectory, image: images.index.image(record.imageID))
    }
  }
}

extension LedgerEvent.Kind {
  var cri: Runtime_V1_ContainerEventType {
    switch self {
    case .created: .containerCreatedEvent
    case .started: .containerStartedEvent
    case .stopped: .containerStoppedEvent
    case .deleted: .containerDeletedEvent
    }
  }
}
