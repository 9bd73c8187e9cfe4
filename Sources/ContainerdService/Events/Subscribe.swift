import ContainerdAPI
import Engine
import GRPC

extension EventsService {
  /// Until the client is gone, or too slow: RESOURCE_EXHAUSTED then.
  func subscribe(
    _ request: Containerd_Services_Events_V1_SubscribeRequest, _ writer: GRPCResponseWriter<Containerd_Types_Envelope>
  ) async throws {
    let events = exchange.subscribe(try EventFilters(parsing: request.filters))
    defer { events.end() }
    try await writer.open()
    while let batch = try await events.next() {
      for event in batch { try await writer.write(Containerd_Types_Envelope(event)) }
    }
  }
}
