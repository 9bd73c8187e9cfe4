import ContainerdAPI
import Core
import Engine
import Linux
import SwiftProtobuf

extension EventsService {
  /// A client's own event, at this moment.
  func publish(_ request: Containerd_Services_Events_V1_PublishRequest, namespace: String) throws -> Google_Protobuf_Empty {
    try stage("event") { try ContainerdNames.check(topic: request.topic) }
    exchange.publish(
      EventEnvelope(at: SystemClock.realtimeNanoseconds(), namespace: namespace, topic: request.topic, event: TypedEvent(request.event)))
    return Google_Protobuf_Empty()
  }
}
