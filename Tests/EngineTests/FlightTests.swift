import Core
import Synchronization
import Testing

@testable import Engine

@Suite struct FlightTests {
  @Test func `all waiters get the one result`() async throws {
    let gate = Gate()
    let flight = Flight { () -> Int in
      await gate.wait()
      return 7
    }
    async let first = flight.value()
    async let second = flight.value()
    gate.open()
    #expect(try await [first, second] == [7, 7])
    #expect(try await flight.value() == 7)
  }

  @Test func `a waiter that gives up leaves the operation running`() async throws {
    let gate = Gate()
    let finished = Gate()
    let flight = Flight { () -> Int in
      await gate.wait()
      finished.open()
      return 1
    }
    let waiter = Task { try await flight.value() }
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
    gate.open()
    await finished.wait()
    #expect(try await flight.value() == 1)
  }

  /// Tells when it is looked at beside one that runs already.
  private struct Request: Equatable, Sendable {
    let number: Int
    let looks: Shared<Int>

    static func == (a: Request, b: Request) -> Bool {
      a.looks.value.withLock { $0 += 1 }
      return a.number == b.number
    }
  }

  @Test func `the same key and request joins, another request is a conflict`() async throws {
    let flights = Flights<String, Request, String>()
    let gate = Gate()
    let (runs, looks) = (Shared(0), Shared(0))
    @Sendable func ask(_ number: Int) async throws -> String {
      let request = Request(number: number, looks: looks)
      return try await flights.join("pod", request, conflict: { Fault(.alreadyExists, "running with \($0.number)") }) {
        runs.value.withLock { $0 += 1 }
        await gate.wait()
        return "done \(number)"
      }
    }
    let first = Task { try await ask(1) }
    while runs.value.withLock({ $0 }) == 0 { await Task.yield() }
    let retry = Task { try await ask(1) }
    while looks.value.withLock({ $0 }) == 0 { await Task.yield() }
    let conflict = await #expect(throws: Fault.self) { try await ask(2) }
    #expect(conflict?.code == .alreadyExists)
    #expect(conflict?.message == "running with 1")
    gate.open()
    #expect(try await first.value == "done 1")
    #expect(try await retry.value == "done 1")
    #expect(runs.value.withLock { $0 } == 1)
  }

  @Test func `a finished key runs anew`() async throws {
    let flights = Flights<String, Nothing, Int>()
    let count = Shared(0)
    for expected in 1...3 {
      let value = try await flights.join("key") {
        count.value.withLock {
          $0 += 1
          return $0
        }
      }
      #expect(value == expected)
    }
  }

  @Test func `a failure reaches every waiter`() async {
    let flight = Flight { () -> Int in throw Fault(.notFound, "gone") }
    for _ in 0..<2 {
      let fault = await #expect(throws: Fault.self) { try await flight.value() }
      #expect(fault?.message == "gone")
    }
  }
}

/// Opens once; whoever waits goes on then.
final class Gate: Sendable {
  private let state = Mutex<(open: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

  func open() {
    let waiting = state.withLock { state in
      state.open = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let open = state.withLock { state in
        if !state.open { state.waiting.append(continuation) }
        return state.open
      }
      if open { continuation.resume() }
    }
  }
}

/// State that several tasks of a test change.
final class Shared<State: Sendable>: Sendable {
  let value: Mutex<State>

  init(_ state: State) { value = Mutex(state) }
}
