import ContainerdAPI
import Core
import Engine
import FoundationEssentials
import GRPC
import Support
import SwiftProtobuf
import Testing

@testable import ContainerdService

/// What clients may publish.
@Suite struct PublishTests {
  private let exchange = EventExchange()
  private var service: EventsService { EventsService(exchange) }

  private static let event = Google_Protobuf_Any.with { ($0.typeURL, $0.value) = ("some.Message", .init([1, 2])) }

  @Test func `a client's event comes with the time and the call's namespace`() async throws {
    let events = exchange.subscribe()
    _ = try service.publish(.with { ($0.topic, $0.event) = ("/mine/thing", Self.event) }, namespace: "example")
    let got = try #require(try await events.next()?.first)
    #expect(got.namespace == "example" && got.topic == "/mine/thing" && got.at > 1_700_000_000_000_000_000)
    #expect(got.event == TypedEvent(url: "some.Message", value: [1, 2]))
    events.end()
  }

  @Test(arguments: [
    ("", "topic: must not be empty"), ("tasks", "must begin with \"/\""), ("/", "\"\" cannot be a part of a topic"),
    ("/a//b", "\"\" cannot be a part of a topic"), ("/a/b c", "\"b c\" cannot be a part of a topic"),
    ("/" + String(repeating: "a", count: 77), "cannot be a part"),
  ])
  func `what is no topic is refused`(_ topic: String, _ reason: String) {
    let fault = #expect(throws: Fault.self) { try service.publish(.with { $0.topic = topic }, namespace: "example") }
    #expect(fault?.code == .invalidArgument && fault?.message.contains(reason) == true, "\(fault?.message ?? "")")
  }

  @Test func `a call without a namespace is refused as containerd refuses it`() {
    #expect(#expect(throws: Fault.self) { try CallNamespace.required(GRPCMetadata()) }?.code == .failedPrecondition)
    #expect(#expect(throws: Fault.self) { try CallNamespace.required(["containerd-namespace": "a/b"]) }?.code == .invalidArgument)
    #expect(throws: Never.self) { try CallNamespace.required(["containerd-namespace": "k8s.io"]) }
  }

  private func envelope(_ change: (inout Containerd_Types_Envelope) -> Void = { _ in }) -> Containerd_Services_Events_V1_ForwardRequest {
    var envelope = Containerd_Types_Envelope.with {
      ($0.namespace, $0.topic, $0.event) = ("other", "/tasks/start", Self.event)
      $0.timestamp = .init(seconds: 5, nanos: 7)
    }
    change(&envelope)
    return .with { $0.envelope = envelope }
  }

  @Test func `a forwarded event comes as it is`() async throws {
    let events = exchange.subscribe()
    _ = try service.forward(envelope())
    let got = try #require(try await events.next()?.first)
    #expect(
      got == EventEnvelope(at: 5_000_000_007, namespace: "other", topic: "/tasks/start", event: .init(url: "some.Message", value: [1, 2])))
    #expect(Containerd_Types_Envelope(got) == envelope().envelope)
    events.end()
  }

  @Test func `a forwarded event must be whole`() {
    let broken: [(inout Containerd_Types_Envelope) -> Void] = [
      { $0.namespace = "" }, { $0.namespace = "-a" }, { $0.topic = "x" }, { $0.clearTimestamp() }, { $0.timestamp = .init() },
      { $0.timestamp.seconds = .max }, { $0.timestamp.seconds = -1 }, { $0.timestamp.nanos = 1_000_000_000 }, { $0.timestamp.nanos = -1 },
    ]
    for change in broken {
      let fault = #expect(throws: Fault.self) { try service.forward(envelope(change)) }
      #expect(fault?.code == .invalidArgument && fault?.message.hasPrefix("event: ") == true)
    }
    #expect(throws: Fault.self) { try service.forward(.init()) }
  }
}
