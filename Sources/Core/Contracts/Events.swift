/// One thing that happened, as containerd's services tell it.
package struct EventEnvelope: Sendable, Hashable {
  /// Nanoseconds since the epoch.
  package var at: Int64
  /// Whose object it happened to.
  package var namespace: String
  /// `/tasks/exit` and the like.
  package var topic: String
  package var event: TypedEvent

  package init(at: Int64, namespace: String, topic: String, event: TypedEvent) {
    self.at = at
    self.namespace = namespace
    self.topic = topic
    self.event = event
  }
}

/// A message under its name: `google.protobuf.Any`.
package struct TypedEvent: Sendable, Hashable {
  /// containerd writes the bare name, `containerd.events.TaskExit`.
  package var url: String
  package var value: [UInt8]

  package init(url: String, value: [UInt8]) {
    self.url = url
    self.value = value
  }
}

/// Where events go.
package protocol EventSink: Sendable {
  /// Never waits for those who listen. Called in the order in which things happen to an object.
  func publish(_ envelope: EventEnvelope)
}
