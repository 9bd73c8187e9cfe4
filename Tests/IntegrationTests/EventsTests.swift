import CRIAPI
import Core
import GRPC
import SwiftProtobuf
import Synchronization
import Testing

/// GetContainerEvents as a kubelet listens to it.
@Suite(.serialized) struct EventsTests {
  /// Collects a stream of events in the background.
  private final class Listener: Sendable {
    private let events = Mutex<[Runtime_V1_ContainerEventResponse]>([])
    private let task = Mutex<Task<Void, Never>?>(nil)
    var all: [Runtime_V1_ContainerEventResponse] { events.withLock { $0 } }

    init(_ client: GRPCClient) throws {
      let stream = try client.serverStreaming(
        "/runtime.v1.RuntimeService/GetContainerEvents", Runtime_V1_GetEventsRequest(), returning: Runtime_V1_ContainerEventResponse.self)
      let task = Task { [self] in
        do { for try await event in stream { events.withLock { $0.append(event) } } } catch {}
      }
      self.task.withLock { $0 = task }
    }

    func end() async {
      let task = task.withLock { $0 }
      task?.cancel()
      await task?.value
    }

    func wait(for count: Int) async throws -> [Runtime_V1_ContainerEventResponse] {
      try await eventually("\(count) events") { all.count >= count ? all : nil }
    }
  }

  private static let life: [Runtime_V1_ContainerEventType] = [
    .containerCreatedEvent, .containerStartedEvent, .containerStoppedEvent, .containerDeletedEvent,
  ]

  @Test func `every subscriber gets the life of pod and container in order, with the whole pod's status`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let listeners = try [Listener(node.berth()), Listener(node.berth())]
      let pod = try await node.run(try node.podConfig("eventful"))
      let id = try await node.launch("main", ["/bin/sh", "-c", "exit 3"], in: pod)
      _ = try await node.ended(id)
      try await node.remove(container: id)
      try await node.remove(pod: pod)
      for listener in listeners {
        let events = try await listener.wait(for: 8)
        #expect(events.filter { $0.containerID == pod }.map(\.containerEventType) == Self.life)
        #expect(events.filter { $0.containerID == id }.map(\.containerEventType) == Self.life)
        #expect(events.map(\.createdAt) == events.map(\.createdAt).sorted())
        #expect(events.allSatisfy { $0.podSandboxStatus.id == pod && $0.podSandboxStatus.metadata.uid == "uid-eventful" })
        let stopped = events.first { $0.containerID == id && $0.containerEventType == .containerStoppedEvent }
        #expect(stopped?.containersStatuses.map(\.exitCode) == [3])
        #expect(stopped?.podSandboxStatus.state == .sandboxReady)
        let deleted = events.first { $0.containerID == id && $0.containerEventType == .containerDeletedEvent }
        #expect(deleted?.containersStatuses.isEmpty == true)
        #expect(events.last?.podSandboxStatus.state == .sandboxNotready)
        await listener.end()
      }
    }
  }

  @Test func `what happened while nobody listened comes first, as it was then`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("missed"))
      let id = try await node.launch("main", ["/bin/true"], in: pod)
      let finished = try await node.ended(id).finishedAt
      let listener = try Listener(node.berth())
      let events = try await listener.wait(for: 5)
      #expect(
        events.map(\.containerEventType) == [
          .containerCreatedEvent, .containerStartedEvent, .containerCreatedEvent, .containerStartedEvent, .containerStoppedEvent,
        ])
      #expect(events.map { $0.containersStatuses.first?.state } == [nil, nil, .containerCreated, .containerRunning, .containerExited])
      #expect(events[4].containersStatuses[0].finishedAt == finished)
      await listener.end()
      try await node.remove(container: id)
      let next = try Listener(node.berth())
      let deleted = try await next.wait(for: 1)
      #expect(deleted[0].containerEventType == .containerDeletedEvent)
      await next.end()
    }
  }

  @Test func `the status of a pod lists its containers and says when that was true`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("full"))
      let ids = try await [node.launch("a", ["/bin/sleep", "100"], in: pod), node.launch("b", ["/bin/sleep", "100"], in: pod)]
      let response: Runtime_V1_PodSandboxStatusResponse = try await node.runtime(
        "PodSandboxStatus", Runtime_V1_PodSandboxStatusRequest.with { $0.podSandboxID = pod })
      #expect(response.containersStatuses.map(\.id) == ids.reversed(), "the newest is first")
      #expect(response.timestamp > response.containersStatuses[0].startedAt)
    }
  }
}
