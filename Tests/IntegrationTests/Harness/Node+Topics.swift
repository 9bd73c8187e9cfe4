import ContainerdAPI
import GRPC
import SwiftProtobuf

/// containerd's events service.
extension Node {
  private static let events = "/containerd.services.events.v1.Events/"

  func publish(
    _ topic: String, in namespace: String?, _ event: some Message = Containerd_Events_NamespaceUpdate.with { $0.name = "test" }
  ) async throws {
    var metadata = GRPCMetadata()
    if let namespace { metadata.add("containerd-namespace", namespace) }
    let request = try Containerd_Services_Events_V1_PublishRequest.with {
      $0.topic = topic
      ($0.event.typeURL, $0.event.value) = (type(of: event).protoMessageName, try event.serializedData())
    }
    let _: Google_Protobuf_Empty = try await berth().unary(Self.events + "Publish", request, metadata: metadata)
  }

  func subscribe(_ filters: String...) throws -> GRPCResponses<Containerd_Types_Envelope> {
    try berth().serverStreaming(
      Self.events + "Subscribe", Containerd_Services_Events_V1_SubscribeRequest.with { $0.filters = filters },
      returning: Containerd_Types_Envelope.self)
  }
}
