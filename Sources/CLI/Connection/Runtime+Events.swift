import ContainerdAPI

extension Runtime {
  /// What happens from now on.
  func events(
    _ request: Containerd_Services_Events_V1_SubscribeRequest, _ body: (Containerd_Types_Envelope) async throws -> Void
  ) async throws {
    try await connection.stream(Method(service: "containerd.services.events.v1.Events", name: "Subscribe"), request, body)
  }
}
