import ContainerdAPI
import Core
import Engine
import SwiftProtobuf

extension EventsService {
  /// An event that happened elsewhere, as it is.
  func forward(_ request: Containerd_Services_Events_V1_ForwardRequest) throws -> Google_Protobuf_Empty {
    exchange.publish(try EventEnvelope(forwarded: request.envelope))
    return Google_Protobuf_Empty()
  }
}
