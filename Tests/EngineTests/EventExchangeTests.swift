import ContainerdAPI
import Core
import Support
import SwiftProtobuf
import Synchronization
import Testing

@testable import Engine

@Suite struct EventExchangeTests {
  private func event(_ number: Int, _ topic: String = "/test/a", bytes: Int = 0) -> EventEnvelope {
    EventEnvelope(
      at: Int64(number), namespace: "k8s.io", topic: topic,
      event: TypedEvent(url: "x", value: Array(repeating: 0, count: bytes)))
  }

  @Test func `each subscriber gets what passes its filters, in order`() async throws {
    let exchange = EventExchange()
    let (all, some) = (exchange.subscribe(), exchange.subscribe(try EventFilters(parsing: ["topic==/test/b"])))
    for number in 0..<10 { exchange.publish(event(number, number % 2 == 0 ? "/test/a" : "/test/b")) }
    #expect(try await all.next()?.map(\.at) == Array(0..<10))
    #expect(try await some.next()?.map(\.at) == [1, 3, 5, 7, 9])
    all.end()
    some.end()
    #expect(try await all.next() == nil)
    #expect(exchange.subscribers == 0)
  }

  @Test func `nothing is made while nobody listens, nor kept`() async throws {
    let exchange = EventExchange()
    let made = Atomic(0)
    func message() -> Containerd_Events_TaskOOM {
      made.add(1, ordering: .relaxed)
      return .with { $0.containerID = "a" }
    }
    exchange.tell("/tasks/oom", message())
    #expect(made.load(ordering: .relaxed) == 0 && !exchange.isWatched)
    let events = exchange.subscribe()
    exchange.tell("/tasks/oom", message())
    let got = try #require(try await events.next())
    #expect(made.load(ordering: .relaxed) == 1 && got.count == 1 && got[0].event.url == "containerd.events.TaskOOM")
    events.end()
    #expect(!exchange.isWatched)
  }

  @Test func `one that falls behind is told how much it missed, others are not harmed`() async throws {
    let metrics = Metrics()
    let exchange = EventExchange(capacity: 4, metrics: metrics)
    let (slow, quick) = (exchange.subscribe(), exchange.subscribe())
    for number in 0..<8 {
      exchange.publish(event(number))
      #expect(try await quick.next()?.map(\.at) == [Int64(number)])
    }
    let fault = await #expect(throws: Fault.self) { _ = try await slow.next() }
    #expect(fault?.code == .resourceExhausted && fault?.message.contains("missed 8 events") == true, "\(fault?.message ?? "")")
    let samples = await metrics.collect().flatMap { family in family.samples.map { (family.measure.name, $0.value) } }
    let told = Dictionary(uniqueKeysWithValues: samples)
    #expect(told["berth_events_published_total"] == 8 && told["berth_events_subscribers"] == 2 && told["berth_events_dropped_total"] == 8)
    slow.end()
    quick.end()
  }

  @Test func `large events fill a queue by their size`() async throws {
    let exchange = EventExchange(capacity: 1000, bytes: 10_000)
    let slow = exchange.subscribe()
    for number in 0..<3 { exchange.publish(event(number, bytes: 4000)) }
    #expect(await #expect(throws: Fault.self) { _ = try await slow.next() }?.message.contains("missed 3") == true)
    slow.end()
    let quick = exchange.subscribe()
    for number in 0..<9 {
      exchange.publish(event(number, bytes: 4000))
      #expect(try await quick.next()?.count == 1)
    }
    exchange.publish(event(0, bytes: 20_000))
    #expect(try await quick.next()?.count == 1, "one that is larger than all of the room")
    quick.end()
  }

  @Test func `publishers at once lose nothing, and who waits is woken`() async throws {
    let exchange = EventExchange(capacity: 100_000)
    let events = exchange.subscribe()
    let reader = Task {
      var last: [String: Int64] = [:]
      var count = 0
      while count < 4000, let batch = try await events.next() {
        for event in batch {
          #expect(event.at == (last[event.topic] ?? -1) + 1)
          last[event.topic] = event.at
        }
        count += batch.count
      }
      return count
    }
    await withTaskGroup(of: Void.self) { group in
      for topic in 0..<4 { group.addTask { for number in 0..<1000 { exchange.publish(event(number, "/t/\(topic)")) } } }
    }
    #expect(try await reader.value == 4000)
    events.end()
  }

  @Test func `a listener whose task is cancelled is gone`() async throws {
    let exchange = EventExchange()
    let events = exchange.subscribe()
    let idle = Task { try await events.next()?.count }
    idle.cancel()
    #expect(try await idle.value == nil)
    #expect(!exchange.isWatched)
  }
}
