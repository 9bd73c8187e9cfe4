import ContainerdAPI
import FoundationEssentials
import SwiftProtobuf
import Testing

@testable import berth

/// What `berth events` prints.
@Suite struct EventLineTests {
  private func envelope(_ url: String, _ value: [UInt8]) -> Containerd_Types_Envelope {
    .with {
      $0.timestamp = .init(seconds: 1_700_000_000, nanos: 123_000_000)
      ($0.namespace, $0.topic) = ("k8s.io", "/tasks/exit")
      ($0.event.typeURL, $0.event.value) = (url, .init(value))
    }
  }

  @Test func `a line has time, namespace, topic and the event by its own names`() throws {
    let exit = Containerd_Events_TaskExit.with {
      ($0.containerID, $0.exitStatus, $0.exitedAt) = ("abc", 137, .init(seconds: 1, nanos: 0))
    }
    let bytes: [UInt8] = try exit.serializedBytes()
    #expect(
      EventLine(envelope("containerd.events.TaskExit", bytes)).text
        == "2023-11-14T22:13:20.123Z k8s.io /tasks/exit {\"container_id\":\"abc\",\"exit_status\":137,\"exited_at\":\"1970-01-01T00:00:01Z\"}"
    )
  }

  @Test func `what is not known, or damaged, is told by its name and size`() {
    let prefix = "2023-11-14T22:13:20.123Z k8s.io /tasks/exit "
    #expect(EventLine(envelope("my.Own", [1, 2])).text == prefix + "{\"@type\":\"my.Own\",\"bytes\":2}")
    #expect(
      EventLine(envelope("containerd.events.TaskExit", [0xFF])).text == prefix + "{\"@type\":\"containerd.events.TaskExit\",\"bytes\":1}")
  }
}
