import ContainerdAPI
import Core
import FoundationEssentials
import SwiftProtobuf

extension EventEnvelope {
  private static let times: ClosedRange<Int64> = 1...(Int64.max / 1_000_000_000 - 1)

  /// INVALID_ARGUMENT where the envelope is not one that could be sent on: namespace, topic and time must be there.
  init(forwarded envelope: Containerd_Types_Envelope) throws(Fault) {
    try stage("event") {
      try ContainerdNames.check(namespace: envelope.namespace)
      try ContainerdNames.check(topic: envelope.topic)
      guard envelope.hasTimestamp, envelope.timestamp != Google_Protobuf_Timestamp() else {
        throw Fault(.invalidArgument, "timestamp: must be set on a forwarded event")
      }
      guard Self.times.contains(envelope.timestamp.seconds), (0..<1_000_000_000).contains(envelope.timestamp.nanos) else {
        throw Fault(.invalidArgument, "timestamp: is no time since 1970")
      }
    }
    self.init(
      at: envelope.timestamp.seconds * 1_000_000_000 + Int64(envelope.timestamp.nanos), namespace: envelope.namespace,
      topic: envelope.topic,
      event: TypedEvent(envelope.event))
  }
}

extension TypedEvent {
  init(_ any: Google_Protobuf_Any) { self.init(url: any.typeURL, value: Array(any.value)) }
}

extension Containerd_Types_Envelope {
  init(_ envelope: EventEnvelope) {
    self.init()
    timestamp = Google_Protobuf_Timestamp(seconds: envelope.at / 1_000_000_000, nanos: Int32(envelope.at % 1_000_000_000))
    namespace = envelope.namespace
    topic = envelope.topic
    event.typeURL = envelope.event.url
    event.value = .init(envelope.event.value)
  }
}
