import ContainerdAPI
import Core
import Support
import SwiftProtobuf
import Testing

@testable import Engine

@Suite struct EventFiltersTests {
  private static let exit = EventEnvelope(
    at: 1, namespace: "k8s.io", topic: "/tasks/exit",
    message: Containerd_Events_TaskExit.with {
      ($0.containerID, $0.id, $0.exitStatus) = ("abc", "exec", 137)
      $0.exitedAt = .init(nanoseconds: 5)
    })
  private static let update = EventEnvelope(
    at: 1, namespace: "k8s.io", topic: "/containers/update",
    message: Containerd_Events_ContainerUpdate.with { ($0.id, $0.labels) = ("abc", ["io.kubernetes.pod.name": "web", "plain": "x,y"]) })

  private func passes(_ filters: String..., event: EventEnvelope = exit) throws -> Bool {
    try EventFilters(parsing: filters).pass(event)
  }

  @Test(arguments: [
    ("", true), ("topic", true), ("nothing", false), ("topic==/tasks/exit", true), ("topic==\"/tasks/exit\"", true),
    ("topic==/tasks/start", false), ("topic!=/tasks/start", true), ("nothing!=x", true), ("nothing==", nil),
    ("topic~=\"/tasks/.+\"", true), ("topic~=|/tasks/.+|", true), (#"topic~=/\/tasks\/e.it/"#, true), ("topic~=^/tasks/.+$", true),
    ("topic~=\"/images/\"", false), ("namespace==k8s.io", true), ("namespace==default", false),
    ("event.container_id==abc", true), ("event.container_id==ab", false), ("event.id", true), ("event.pid", false),
    ("event.exit_status==137", true), ("event.exit_status~=\"^13\"", true), ("event.nothing==1", false), ("event", false),
    ("topic==/tasks/exit,namespace==k8s.io", true), (" topic == /tasks/exit , namespace == k8s.io ", true),
    ("topic==/tasks/exit,namespace==default", false), ("event.container_id==abc,event.id==exec", true),
    ("event.\"container_id\"==\"abc\"", true), (#"event.container_id=="a\x62\u0063""#, true),
  ])
  func `selectors are those of containerd`(_ filter: String, _ passes: Bool?) throws {
    guard let passes else {
      #expect(throws: Fault.self) { try EventFilters(parsing: [filter]) }
      return
    }
    #expect(try self.passes(filter) == passes, "\(filter)")
  }

  @Test func `several filters are alternatives, and an empty one takes all`() throws {
    #expect(try passes("topic==a", "namespace==k8s.io"))
    #expect(try !passes("topic==a", "namespace==b"))
    #expect(try passes("topic==a", ""))
    #expect(try passes())
  }

  @Test func `labels are found with and without quotes`() throws {
    #expect(try passes("event.labels.io.kubernetes.pod.name==web", event: Self.update))
    #expect(try passes("event.labels.\"io.kubernetes.pod.name\"==web", event: Self.update))
    #expect(try passes("event.labels.plain==\"x,y\"", event: Self.update))
    #expect(try !passes("event.labels.other", event: Self.update))
  }

  @Test func `an event of another's making has a topic and a namespace, and no fields`() throws {
    for event in [TypedEvent(url: "my.Own", value: [1]), TypedEvent(url: "containerd.events.TaskExit", value: [0xFF])] {
      let envelope = EventEnvelope(at: 1, namespace: "a", topic: "/b", event: event)
      #expect(try passes("topic==/b,namespace==a", event: envelope))
      #expect(try !passes("event.container_id", event: envelope))
    }
  }

  @Test(arguments: [
    ("topic=/a", "at character 6, \"=/a\": no operator"), ("topic==", "at its end: a value"),
    ("==a", "at character 1, \"==a\": a field's name"),
    ("topic==a,", "at its end: a field's name"), ("topic==a b", "at character 10, \"b\": a comma"), ("topic.==a", "at character 7"),
    ("topic==\"a", "at character 8, \"\"a\": nothing closes"), ("topic~=/a", "at character 8, \"/a\": nothing closes this /"),
    ("topic~=\"(\"", "at character 8"), ("topic==\"a\\q\"", "at character 10, \"\\q\"\": no escape"), ("topic~=", "at its end"),
    ("topic===a", "at character 6, \"===a\": no operator"), (",", "at character 1"), ("topic==\"\\uD800\"", "no escape"),
    ("topic==\"\\", "nothing follows"), ("a==\"b\"c", "at character 7, \"c\": a comma"),
  ])
  func `what is wrong is pointed at`(_ filter: String, _ reason: String) {
    let fault = #expect(throws: Fault.self) { try EventFilters(parsing: [filter]) }
    #expect(fault?.code == .invalidArgument && fault?.message.contains(reason) == true, "\(fault?.message ?? "")")
  }

  @Test func `filters without end are refused`() {
    let fault = #expect(throws: Fault.self) { try EventFilters(parsing: Array(repeating: "", count: 70_000)) }
    #expect(fault?.code == .invalidArgument)
  }

  /// Whatever value is quoted comes out as it was, and whatever text comes in is either read or refused.
  @Test func `quoted values are kept, and noise is refused at worst`() throws {
    var numbers = SeededNumbers(seed: 11)
    let alphabet = Array("ab./|\"\\,=!~ \n\tä€x01".unicodeScalars)
    for _ in 0..<3000 {
      let scalars = (0..<Int.random(in: 0..<12, using: &numbers)).map { _ in alphabet.randomElement(using: &numbers)! }
      let text = String(String.UnicodeScalarView(scalars))
      let quoted = "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
      let event = EventEnvelope(at: 1, namespace: text, topic: "/x", event: TypedEvent(url: "", value: []))
      #expect(try passes("namespace==\(quoted)", event: event) == !text.isEmpty, "\(text)")
      #expect(try passes("namespace!=\(quoted)", event: event) == text.isEmpty, "\(text)")
      #expect(try passes("topic==/y,namespace==\(quoted)", "topic==/x", event: event))
      do { _ = try EventFilters(parsing: [text, "a" + text, "topic" + text]).pass(event) } catch {
        #expect(error.code == .invalidArgument)
      }
    }
  }
}

extension EventEnvelope {
  init(at: Int64, namespace: String, topic: String, message: some Message) {
    let name = type(of: message).protoMessageName
    self.init(at: at, namespace: namespace, topic: topic, event: TypedEvent(url: name, value: (try? message.serializedBytes()) ?? []))
  }
}
