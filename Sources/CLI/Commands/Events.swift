import ArgumentParser
import ContainerdAPI
import Linux
import SwiftProtobuf

struct Events: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what happens on this node, from now on.",
    discussion: """
      A line an event: time, namespace, topic, and what there is to say as JSON. The topics are containerd's: /containers/…,
      /tasks/…, /sandboxes/…, /images/…, /snapshot/…, /content/…, /namespaces/….

      A filter is a field, ==, != or ~= (a regular expression) and a value; with commas between them all must hold, and of
      several filters one.

      Examples:
        berth events
        berth events topic==/tasks/exit topic==/tasks/oom
        berth events 'topic~="^/(tasks|containers)/",event.container_id==0123…'
      """)

  @OptionGroup var server: ServerOptions
  @Argument(help: "Print only events that pass one of these.") var filters: [String] = []

  func run() async throws {
    let request = Containerd_Services_Events_V1_SubscribeRequest.with { $0.filters = filters }
    try await server.withRuntime { runtime in
      try await runtime.events(request) { Console.standard.print(EventLine($0).text) }
    }
  }
}

/// One event as people read it.
struct EventLine {
  let text: String

  init(_ envelope: Containerd_Types_Envelope) {
    let time = envelope.timestamp
    let (url, value) = (envelope.event.typeURL, Array(envelope.event.value))
    let content = EventMessages.json(url, value) ?? "{\"@type\":\"\(url)\",\"bytes\":\(value.count)}"
    text = "\(Linux.Timestamp.text(time.seconds * 1_000_000_000 + Int64(time.nanos))) \(envelope.namespace) \(envelope.topic) \(content)"
  }
}
