import CRIAPI
import ContainerdAPI
import Core
import Logging
import OCI
import Support
import SwiftProtobuf
import Testing

@testable import Engine

/// What the ledger tells in containerd's topics.
@Suite struct ContainerTopicsTests {
  private let store = MemoryRecords()
  private let exchange = EventExchange()
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private var ledger: Ledger { Ledger(store: store, exchange: exchange, logger: logger) }

  private func container(_ change: (inout ContainerRecord) -> Void = { _ in }) throws -> ContainerRecord {
    let image = try #require(Digest("sha256:" + String(repeating: "a", count: 64)))
    var plan = ContainerPlan(
      id: "c", bundle: "/b", rootfs: RootfsMount(lower: ["/2", "/1"], upper: "/u", work: "/w", options: ["volatile"]), runtime: "/runc",
      runtimeRoot: "/r")
    plan.terminal = true
    let config = Runtime_V1_ContainerConfig.with {
      $0.labels = ["both": "cri"]
      $0.image.userSpecifiedImage = "busybox"
    }
    var record = ContainerRecord(
      id: "c", sandboxID: "s", config: config, image: (image, "\(image)"), volumeImages: [:], layers: [], plan: plan,
      user: ContainerUser(uid: 0, gid: 0, supplementalGroups: []), stopSignal: 15, createdAt: 1)
    change(&record)
    return record
  }

  private func drain(_ events: FilteredEvents) async throws -> [EventEnvelope] {
    exchange.publish(EventEnvelope(at: 0, namespace: "", topic: "/end", event: TypedEvent(url: "", value: [])))
    var found: [EventEnvelope] = []
    while found.last?.topic != "/end" { found += try await events.next() ?? [] }
    return found.dropLast()
  }

  @Test func `a container's life is told in order, with what containerd says`() async throws {
    let (events, ledger) = (exchange.subscribe(), ledger)
    try ledger.put(container())
    try ledger.updateContainer("c") { ($0.pid, $0.startedAt, $0.state) = (7, 5, .running) }
    try ledger.updateContainer("c") { $0.updateAnnotations = ["a": "b"] }
    try ledger.updateContainer("c") { $0.isStoppedForCalls = true }
    try ledger.updateContainer("c") { $0.state = .exited(ExitRecord(exitCode: 137, finishedAt: 1_000_000_002, oomKilled: true)) }
    try ledger.updateContainer("c") { $0.isStoppedForCalls = false }
    try ledger.removeContainer("c")
    try ledger.removeContainer("c")
    let told = try await drain(events)
    #expect(
      told.map(\.topic) == [
        "/containers/create", "/tasks/create", "/tasks/start", "/containers/update", "/tasks/oom", "/tasks/exit", "/containers/delete",
      ])
    #expect(told.allSatisfy { $0.namespace == "k8s.io" && $0.at > 1_700_000_000_000_000_000 })
    let created = try Containerd_Events_ContainerCreate(serializedBytes: told[0].event.value)
    #expect(created.id == "c" && created.image == "busybox" && created.runtime.name == "/runc")
    let task = try Containerd_Events_TaskCreate(serializedBytes: told[1].event.value)
    #expect(task.pid == 7 && task.bundle == "/b" && task.io.terminal && task.rootfs.map(\.type) == ["overlay"])
    #expect(task.rootfs[0].options == ["volatile", "lowerdir=/2:/1", "upperdir=/u", "workdir=/w"])
    let exit = try Containerd_Events_TaskExit(serializedBytes: told[5].event.value)
    #expect(exit.containerID == "c" && exit.id == "c" && exit.pid == 7 && exit.exitStatus == 137)
    #expect(exit.exitedAt.seconds == 1 && exit.exitedAt.nanos == 2 && told[5].event.url == "containerd.events.TaskExit")
    events.end()
  }

  @Test func `what ended while the daemon was down is told once`() async throws {
    try ledger.put(container { ($0.pid, $0.state) = (7, .running) })
    let (events, ledger) = (exchange.subscribe(), ledger)
    try ledger.load()
    for _ in 0..<2 { try ledger.updateContainer("c") { $0.state = .exited(ExitRecord(exitCode: 1, finishedAt: 2)) } }
    #expect(try await drain(events).map(\.topic) == ["/tasks/exit"])
    let second = Ledger(store: store, exchange: exchange, logger: logger)
    try second.load()
    #expect(try await drain(events).isEmpty)
    events.end()
  }

  @Test func `a command that could not be started was never a task`() async throws {
    let (events, ledger) = (exchange.subscribe(), ledger)
    try ledger.put(container())
    try ledger.updateContainer("c") { $0.state = .exited(ExitRecord(exitCode: 128, finishedAt: 2, reason: "StartError")) }
    try ledger.removeContainer("c")
    #expect(try await drain(events).map(\.topic) == ["/containers/create", "/containers/delete"])
    events.end()
  }

  @Test func `an exec's steps are told once each, whatever comes first`() async throws {
    #expect(try container().execWatch(exchange) == nil)
    let events = exchange.subscribe()
    let exit = ExitRecord(exitCode: 3, finishedAt: 9)
    for isEarly in [false, true] {
      let watch = try #require(try container().execWatch(exchange))
      watch.added("e")
      if isEarly { watch.ended("e", exit) }
      watch.started("e", 8)
      for _ in 0..<2 { watch.ended("e", exit) }
      let told = try await drain(events)
      #expect(told.map(\.topic) == ["/tasks/exec-added", "/tasks/exec-started", "/tasks/exit"])
      let message = try Containerd_Events_TaskExit(serializedBytes: told[2].event.value)
      #expect(message.containerID == "c" && message.id == "e" && message.pid == 8 && message.exitStatus == 3)
    }
    let failed = try #require(try container().execWatch(exchange))
    failed.added("f")
    failed.ended("f", exit)
    #expect(try await drain(events).map(\.topic) == ["/tasks/exec-added"])
    events.end()
  }

  @Test func `labels of the image come below those of the CRI, and large ones are left out`() throws {
    let (labels, journal) = (ImageLabels(), Journal())
    let large = String(repeating: "x", count: ImageLabels.limit)
    let exact = String(repeating: "x", count: ImageLabels.limit - 5)
    let image = try container().imageID
    for _ in 0..<2 {
      let kept = labels.kept(["both": "image", "own": "image", "large": large, "exact": exact], of: image, journal.logger)
      #expect(kept == ["both": "image", "own": "image", "exact": exact])
    }
    #expect(journal.messages.count == 1 && journal.messages[0].contains("\"large\""))
    let record = try container { $0.imageLabels = ["both": "image", "own": "image"] }
    #expect(record.labels == ["both": "cri", "own": "image", "io.cri-containerd.kind": "container"])
    #expect(record.config.content.labels == ["both": "cri"])
    #expect(try container().labels == ["both": "cri", "io.cri-containerd.kind": "container"])
  }
}
