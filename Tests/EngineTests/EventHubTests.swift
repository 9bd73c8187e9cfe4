import Core
import Support
import Testing

@testable import Engine

@Suite struct EventHubTests {
  private func event(_ number: Int, at: Int64? = nil) -> LedgerEvent {
    if let at { return LedgerEvent(kind: .created, id: "\(number)", at: at, sandbox: nil, containers: []) }
    return LedgerEvent(kind: .created, id: "\(number)", sandbox: nil, containers: [])
  }

  @Test func `each subscriber gets all in order, at its own pace`() async throws {
    let hub = EventHub()
    let (quick, slow) = (hub.subscribe(), hub.subscribe())
    for number in 0..<10 {
      hub.publish(event(number))
      #expect(try await quick.next()?.map(\.id) == ["\(number)"])
    }
    #expect(try await slow.next()?.map(\.id) == (0..<10).map(String.init))
    quick.end()
    #expect(try await quick.next() == nil)
  }

  @Test func `one that waits is woken, and ended with its task`() async throws {
    let hub = EventHub()
    let subscription = hub.subscribe()
    let waiter = Task { try await subscription.next()?.map(\.id) }
    hub.publish(event(1))
    #expect(try await waiter.value == ["1"])
    let idle = Task { try await subscription.next()?.count }
    idle.cancel()
    #expect(try await idle.value == nil)
  }

  @Test func `one that falls behind is told that it missed some, others are not harmed`() async throws {
    let hub = EventHub(capacity: 4)
    let (slow, quick) = (hub.subscribe(), hub.subscribe())
    for number in 0..<5 {
      hub.publish(event(number))
      _ = try await quick.next()
    }
    let fault = await #expect(throws: Fault.self) { _ = try await slow.next() }
    #expect(fault?.code == .resourceExhausted)
    quick.end()
    slow.end()
  }

  @Test func `what nobody took is kept for the next one, within bounds`() async throws {
    let hub = EventHub(capacity: 10)
    hub.publish(event(0, at: 1))
    for number in 1...8 { hub.publish(event(number)) }
    let first = hub.subscribe()
    let got = try await first.next() ?? []
    #expect(got.map(\.id) == (1...8).map(String.init))
    first.end(unsent: Array(got.suffix(2)))
    hub.publish(event(9))
    let second = hub.subscribe()
    #expect(try await second.next()?.map(\.id) == ["7", "8", "9"])
    second.end()
    for number in 0..<100 { hub.publish(event(number)) }
    let third = hub.subscribe()
    let kept = try await third.next() ?? []
    #expect(kept.count <= 10 && kept.last?.id == "99")
    third.end()
  }

  @Test func `nothing is kept where nothing is to be kept`() async throws {
    let hub = EventHub(patience: .zero)
    hub.publish(event(1))
    let subscription = hub.subscribe()
    hub.publish(event(2))
    #expect(try await subscription.next()?.map(\.id) == ["2"])
    subscription.end(unsent: [event(2)])
    let second = hub.subscribe()
    hub.publish(event(3))
    #expect(try await second.next()?.map(\.id) == ["3"])
    second.end()
  }

  @Test func `what no subscriber gets is counted, by why`() async {
    let metrics = Metrics()
    let hub = EventHub(capacity: 4, metrics: metrics)
    hub.publish(event(0, at: 1))
    hub.publish(event(1))
    for number in 2...6 { hub.publish(event(number)) }
    let slow = hub.subscribe()
    for number in 7...12 { hub.publish(event(number)) }
    slow.end()
    EventHub(patience: .zero, metrics: metrics).publish(event(13))
    let samples = await metrics.collect().flatMap(\.samples)
    let counts = Dictionary(uniqueKeysWithValues: samples.map { ($0.labels[0], $0.value) })
    // Of 1 to 6 four were kept at most, and two as it came to more than that; what came later was too much for a queue that held them.
    #expect(counts["expired"] == 2 && counts["surplus"] == 3, "\(counts)")
    #expect(counts["slow"] == 9, "\(counts)")
  }
}
