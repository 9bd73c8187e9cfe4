import ShimAPI
import SwiftProtobuf
import TTRPC
import Testing

private typealias Question = Containerd_Task_V3_StateRequest
private typealias Answer = Containerd_Task_V3_StateResponse

extension TTRPCClient {
  fileprivate func state(_ id: String, timeout: Duration? = nil) async throws -> Answer {
    try await call("a.Service", "State", Question.with { $0.id = id }, timeout: timeout, metadata: [(key: "who", value: id)])
  }
}

/// The error a call ends with.
private func failure(_ call: @escaping @Sendable () async throws -> Answer) async -> TTRPCError? {
  do {
    _ = try await call()
    return nil
  } catch {
    return error as? TTRPCError
  }
}

@Suite(.timeLimit(.minutes(1))) struct TTRPCClientTests {
  @Test func aCallCarriesEverythingAndItsAnswerComesBack() async throws {
    try await Peer.connected { client, peer in
      async let answer = client.state("one", timeout: .milliseconds(7500))
      let request = try #require(try await peer.request())
      #expect(request.stream == 1)
      #expect(request.message.service == "a.Service")
      #expect(request.message.method == "State")
      #expect(request.message.timeoutNano == 7_500_000_000)
      #expect(request.message.metadata.map { [$0.key, $0.value] } == [["who", "one"]])
      #expect(try Question(serializedBytes: request.message.payload).id == "one")
      try await peer.answer(request.stream, Answer.with { $0.bundle = "b" })
      #expect(try await answer.bundle == "b")
    }
  }

  @Test func concurrentCallsUseIncreasingOddStreamsAndAnswersMayComeInAnyOrder() async throws {
    try await Peer.connected { client, peer in
      let calls = (0..<50).map { index in Task { try await client.state("\(index)").bundle } }
      var requests: [Peer.Request] = []
      for _ in calls { requests.append(try #require(try await peer.request())) }
      let odd: [UInt32] = (0..<50).map { UInt32($0) * 2 + 1 }
      #expect(requests.map(\.stream) == odd)
      for request in requests.reversed() {
        let id = try Question(serializedBytes: request.message.payload).id
        try await peer.answer(request.stream, Answer.with { $0.bundle = "for \(id)" })
      }
      for (index, call) in calls.enumerated() { #expect(try await call.value == "for \(index)") }
    }
  }

  @Test func aRefusalKeepsItsCodeAndWords() async throws {
    try await Peer.connected { client, peer in
      let call = Task { await failure { try await client.state("x") } }
      let request = try #require(try await peer.request())
      try await peer.refuse(request.stream, code: 5, "no such container")
      #expect(await call.value == TTRPCError(.remote, code: 5, "no such container"))
    }
  }

  @Test func aLateAnswerAfterADeadlineIsIgnored() async throws {
    try await Peer.connected { client, peer in
      let error = await failure { try await client.state("slow", timeout: .milliseconds(20)) }
      #expect(error?.code == 4)
      #expect(error?.origin == .local)
      let late = try #require(try await peer.request())
      try await peer.answer(late.stream, Answer())
      try await expectAlive(client, peer)
    }
  }

  @Test func cancellingEndsTheWaiterOnly() async throws {
    try await Peer.connected { client, peer in
      let call = Task { await failure { try await client.state("x") } }
      let request = try #require(try await peer.request())
      call.cancel()
      #expect(await call.value?.code == 1)
      try await peer.answer(request.stream, Answer())
      try await expectAlive(client, peer)
    }
  }

  @Test func aCancelledTaskNeverWaits() async throws {
    try await Peer.connected { client, peer in
      let call = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return await failure { try await client.state("x") }
      }
      #expect(await call.value?.code == 1)
    }
  }

  @Test func theLossOfTheConnectionFailsEveryCallAndAllLaterOnes() async throws {
    try await Peer.connected { client, peer in
      let calls = (0..<5).map { index in Task { await failure { try await client.state("\(index)") } } }
      for _ in calls { _ = try await peer.request() }
      try await peer.close()
      for call in calls {
        let error = await call.value
        #expect(error?.origin == .connection)
        #expect(error?.code == 14)
      }
      #expect(!client.isConnected)
      #expect(await failure { try await client.state("later") }?.origin == .connection)
    }
  }

  @Test func aRequestOverTheFrameLimitFailsAloneAndIsNotSent() async throws {
    try await Peer.connected { client, peer in
      let error = await failure { try await client.state(String(repeating: "x", count: 4 << 20)) }
      #expect(error?.code == 8)
      try await expectAlive(client, peer)
    }
  }

  @Test func anAnswerThatCannotBeDecodedFailsItsCallAlone() async throws {
    try await Peer.connected { client, peer in
      let call = Task { await failure { try await client.state("x") } }
      _ = try await peer.request()
      try await peer.send([0, 0, 0, 3, 0, 0, 0, 1, 2, 0, 0xff, 0xff, 0xff])
      let error = await call.value
      #expect(error?.code == 13)
      #expect(error?.origin == .local)
      try await expectAlive(client, peer)
    }
  }

  @Test(
    "malformed input closes the connection with a clear error",
    arguments: [
      ([0x00, 0x40, 0x00, 0x01, 0, 0, 0, 1, 2, 0], "4194305 bytes, more than"),
      ([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 2, 0], "4294967295 bytes, more than"),
      ([0, 0, 0, 0, 0, 0, 0, 1, 9, 0], "unknown type 9"),
      ([0, 0, 0, 0, 0, 0, 0, 1, 1, 0], "request frame where none may come"),
      ([0, 0, 0, 0, 0, 0, 0, 1, 3, 0], "data frame where none may come"),
      ([0, 0, 0, 0, 0, 0, 0, 2, 2, 0], "stream 2, which was never opened"),
      ([0, 0, 0, 0, 0, 0, 0, 9, 2, 0], "stream 9, which was never opened"),
      (Array("HTTP/1.1 400 Bad Request".utf8), "bytes, more than"),
    ] as [([UInt8], String)])
  func malformed(_ bytes: [UInt8], _ words: String) async throws {
    try await Peer.connected { client, peer in
      let call = Task { await failure { try await client.state("x") } }
      _ = try await peer.request()
      try await peer.send(bytes)
      let error = await call.value
      #expect(error?.origin == .connection)
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "no error")")
      #expect(try await peer.request() == nil)
    }
  }

  @Test func aConnectionThatEndsInTheMiddleOfAFrameSaysSo() async throws {
    try await Peer.connected { client, peer in
      let call = Task { await failure { try await client.state("x") } }
      _ = try await peer.request()
      try await peer.send([0, 0, 0, 9, 0, 0, 0, 1, 2, 0, 1, 2])
      try await peer.close()
      #expect(await call.value?.message.contains("in the middle of a ttrpc frame") == true)
    }
  }

  private func expectAlive(_ client: TTRPCClient, _ peer: Peer) async throws {
    async let answer = client.state("alive")
    let request = try #require(try await peer.request())
    try await peer.answer(request.stream, Answer.with { $0.bundle = "yes" })
    #expect(try await answer.bundle == "yes")
  }
}
