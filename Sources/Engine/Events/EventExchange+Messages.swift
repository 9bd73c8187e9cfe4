import ContainerdAPI
import Core
import Linux
import SwiftProtobuf

extension EventExchange {
  /// Something that Berth did itself. The message is made only where somebody listens.
  func tell<Content: Message>(
    _ topic: String, in namespace: String = ImageNamespaces.standard, at: Int64 = SystemClock.realtimeNanoseconds(),
    _ content: @autoclosure () -> Content
  ) {
    guard isWatched, let value: [UInt8] = try? content().serializedBytes() else { return }
    publish(EventEnvelope(at: at, namespace: namespace, topic: topic, event: TypedEvent(url: Content.protoMessageName, value: value)))
  }
}

extension Google_Protobuf_Timestamp {
  init(nanoseconds: Int64) { self.init(seconds: nanoseconds / 1_000_000_000, nanos: Int32(nanoseconds % 1_000_000_000)) }
}
