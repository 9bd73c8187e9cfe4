import Core
import NIOCore
import NIOHTTP1
import OCI
import Registry
import Support
import Testing

/// Blobs from servers that break off, lie, dawdle or come back later.
@Suite(.serialized) struct BrokenTransferTests {
  private let image = SampleImage(layerSize: 1_000_003)

  private func fetch(policy: TransferPolicy = .quick, _ script: @escaping HostileServer.Script) async throws -> [HostileServer.Request] {
    try await withHostileServer(script) { server in
      try await withClient(policy: policy) { client in
        let bytes = try await client.bytes(image.descriptor, of: .test(server.authority))
        #expect(bytes == image.layer)
      }
      return server.requests
    }
  }

  private func failure(policy: TransferPolicy = .quick, _ script: @escaping HostileServer.Script) async throws -> (
    Fault, [HostileServer.Request]
  ) {
    try await withHostileServer(script) { server in
      let fault: Fault = try await withClient(policy: policy) { client in
        await RegistryTests.fault { _ = try await client.bytes(image.descriptor, of: .test(server.authority)) }
      }
      #expect(fault.message.contains("\(image.descriptor.digest)"), "\(fault)")
      return (fault, server.requests)
    }
  }

  @Test(arguments: [700_000, 100_000, 33_333]) func aConnectionThatBreaksIsResumedWhereItBroke(limit: Int) async throws {
    let layer = image.layer
    let requests = try await fetch { .blob(layer, $0, limit: limit) }
    #expect(requests.count >= (layer.count + limit - 1) / limit)
    for (request, next) in zip(requests, requests.dropFirst()) {
      #expect(next.from == request.from + limit, "what arrived is not asked for again, what did not is")
    }
  }

  @Test func aServerThatKnowsNoRangesIsReadAgainFromTheStart() async throws {
    let layer = image.layer
    let requests = try await fetch { request in
      .response(200, [:], Array(layer.prefix(request.number == 0 ? 600_000 : layer.count)), length: layer.count)
        + (request.number == 0 ? [.close] : [])
    }
    #expect(requests.count == 2)
  }

  @Test func aServerThatMayGiveLessThanTheRangeIsAskedForTheRest() async throws {
    let layer = image.layer
    let requests = try await fetch { request in
      if request.from == 0 { return .blob(layer, request, limit: 10_000) }
      let part = Array(layer[request.from...].prefix(400_000))
      return .response(206, ["Content-Range": "bytes \(request.from)-\(request.from + part.count - 1)/*"], part)
    }
    expectResumed(Array(requests.map(\.from).prefix(2)), brokenAt: 10_000)
    let whole = requests.map(\.from).dropFirst()
    #expect(zip(whole, whole.dropFirst()).map { $1 - $0 } == [400_000, 400_000])
  }

  @Test func aBodyWithoutALengthThatEndsEarlyIsResumed() async throws {
    let layer = image.layer
    let requests = try await fetch { request in
      if request.from > 0 { return .blob(layer, request) }
      return [.send(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8) + layer.prefix(500_000)), .close]
    }
    expectResumed(requests.map(\.from), brokenAt: 500_000)
  }

  @Test func aConnectionThatNeverBringsAnythingIsGivenUp() async throws {
    let (fault, requests) = try await failure { _ in [.close] }
    #expect(fault.code == .unavailable)
    #expect(requests.count == TransferPolicy.quick.attempts)
  }

  @Test func aServerThatOnlyDripsIsGivenUp() async throws {
    let layer = image.layer
    let (fault, requests) = try await failure { .blob(layer, $0, limit: 100) }
    #expect(fault.code == .unavailable)
    #expect(fault.message.contains("closed before the end"), "\(fault)")
    #expect(requests.count <= 10)
  }

  @Test func aLyingContentLengthIsDataLoss() async throws {
    for length in [layerSize - 1, layerSize + 1, 0] {
      let layer = image.layer
      let (fault, requests) = try await failure { _ in .response(200, [:], Array(layer.prefix(length)), length: length) }
      #expect(fault.code == .dataLoss)
      #expect(fault.message.contains("the blob has \(length) bytes there, the manifest says \(layerSize)"), "\(fault)")
      #expect(requests.count == 1)
    }
  }

  private var layerSize: Int { image.layer.count }

  @Test func moreBytesThanTheManifestSaysAreDataLoss() async throws {
    let layer = image.layer + [0]
    let (fault, _) = try await failure { _ in [.send(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8) + layer), .close] }
    #expect(fault.code == .dataLoss)
    #expect(fault.message.contains("more than the \(layerSize) bytes"))
  }

  @Test(arguments: [
    "bytes 499999-1000002/1000003", "bytes 500001-1000002/1000003", "bytes 500000-1000002/1000004", "bytes 500000-1000003/1000003",
    "bytes 500000-900000/1000003", "bytes */1000003", "nonsense", "bytes 0-500002/1000003",
  ]) func aLyingContentRangeIsDataLoss(range: String) async throws {
    let layer = image.layer
    let (fault, requests) = try await failure { request in
      request.from == 0 ? .blob(layer, request, limit: 500_000) : .response(206, ["Content-Range": range], Array(layer[500_000...]))
    }
    #expect(fault.code == .dataLoss)
    #expect(fault.message.contains(range), "\(fault)")
    #expect(requests.count == 2)
  }

  @Test func partialContentThatNobodyAskedForIsDataLoss() async throws {
    let layer = image.layer
    let (fault, _) = try await failure { _ in .response(206, ["Content-Range": "bytes 0-1000002/1000003"], layer) }
    #expect(fault.code == .dataLoss)
  }

  @Test func aBlobThatEndsBeforeTheOffsetIsDataLoss() async throws {
    let layer = image.layer
    let (fault, _) = try await failure { $0.from == 0 ? .blob(layer, $0, limit: 500_000) : .response(416) }
    #expect(fault.code == .dataLoss)
    // What had arrived but was not read when the connection broke is asked for again, so the offset may be lower.
    let offset = fault.message.split(separator: "ends before byte ").last.flatMap { Int($0.prefix { $0.isNumber }) }
    #expect(offset.map { (1...500_000).contains($0) } == true, "\(fault)")
  }

  @Test(arguments: [500, 502, 503, 504, 408]) func passingErrorsAreTriedAgain(status: Int) async throws {
    let layer = image.layer
    let requests = try await fetch { $0.number < 3 ? .response(status, text: "oops") : .blob(layer, $0) }
    #expect(requests.count == 4)
  }

  @Test(
    arguments: zip(
      [500, 503, 403, 404, 400, 501],
      [Fault.Code.unavailable, .unavailable, .permissionDenied, .notFound, .failedPrecondition, .unavailable]))
  func lastingErrorsHaveTheRightCode(status: Int, code: Fault.Code) async throws {
    let (fault, requests) = try await failure { _ in
      .response(status, ["Content-Type": "application/json"], text: #"{"errors":[{"code":"ODD","message":"so\u000ait is"}]}"#)
    }
    #expect(fault.code == code)
    #expect(fault.message.contains(": ODD: so it is"), "\(fault)")
    #expect(requests.count == ([500, 503].contains(status) ? TransferPolicy.quick.attempts : 1))
  }

  @Test func retryAfterIsObeyed() async throws {
    let layer = image.layer
    let start = ContinuousClock.now
    let requests = try await fetch { $0.number == 0 ? .response(429, ["Retry-After": "1"]) : .blob(layer, $0) }
    #expect(requests.count == 2)
    #expect(ContinuousClock.now - start >= .seconds(1))
  }

  @Test func aRegistryThatWantsALongPauseIsNotWaitedFor() async throws {
    let (fault, requests) = try await failure { _ in .response(429, ["Retry-After": "3600"], text: "TOOMANYREQUESTS") }
    #expect(fault.code == .resourceExhausted)
    #expect(fault.message.contains("TOOMANYREQUESTS (retry after 3600 s)"), "\(fault)")
    #expect(requests.count == 1)
  }

  @Test func aStalledConnectionIsGivenUpAndResumed() async throws {
    var policy = TransferPolicy.quick
    policy.stallWindow = .milliseconds(200)
    policy.stallBytes = 1000
    let layer = image.layer
    let requests = try await fetch(policy: policy) { request in
      if request.from > 0 { return .blob(layer, request) }
      return .response(200, [:], Array(layer.prefix(300_000)), length: layer.count) + [.pause(.seconds(60))]
    }
    expectResumed(requests.map(\.from), brokenAt: 300_000)
  }

  @Test func aSlowTrickleIsGivenUp() async throws {
    var policy = TransferPolicy.quick
    policy.stallWindow = .milliseconds(100)
    policy.stallBytes = 1000
    policy.attempts = 2
    let drops = (0..<1000).flatMap { _ in [HostileServer.Step.send([0]), .pause(.milliseconds(20))] }
    let length = image.layer.count
    let (fault, requests) = try await failure(policy: policy) { _ in .response(200, [:], [], length: length) + drops }
    #expect(fault.code == .unavailable)
    #expect(fault.message.contains("stalled"), "\(fault)")
    #expect(requests.count == 2)
  }

  @Test func aServerThatNeverAnswersIsGivenUp() async throws {
    var policy = TransferPolicy.quick
    policy.responseTimeout = .milliseconds(100)
    policy.attempts = 2
    let (fault, _) = try await failure(policy: policy) { _ in [.pause(.seconds(60))] }
    #expect(fault.code == .unavailable)
    #expect(fault.message.contains("no response in time"), "\(fault)")
  }

  @Test func aSlowReaderIsNoStall() async throws {
    var policy = TransferPolicy.quick
    policy.stallWindow = .milliseconds(50)
    policy.chunkSize = 64 << 10
    let image = SampleImage(layerSize: 4_000_000)
    let layer = image.layer
    try await withHostileServer({ .blob(layer, $0) }) { server in
      try await withClient(policy: policy) { client in
        let stream = try await client.blob(image.descriptor, of: .test(server.authority), credentials: nil)
        var bytes = try await stream.next() ?? []
        try await Task.sleep(for: .milliseconds(400))
        while let piece = try await stream.next() { bytes += piece }
        #expect(bytes == layer)
      }
      #expect(server.requests.count == 1)
    }
  }

  @Test func droppingTheStreamEndsTheTransfer() async throws {
    let layer = image.layer
    try await withHostileServer({ _ in .response(200, [:], Array(layer.prefix(500_000)), length: layer.count) + [.pause(.seconds(60))] }) {
      server in
      try await withClient { client in
        var stream: (any BlobStream)? = try await client.blob(image.descriptor, of: .test(server.authority), credentials: nil)
        #expect(try await stream?.next() != nil)
        stream = nil
      }
    }
  }

  @Test func cancellingTheReaderEndsItsWait() async throws {
    let length = image.layer.count
    try await withHostileServer({ _ in .response(200, [:], [], length: length) + [.pause(.seconds(60))] }) { server in
      try await withClient { client in
        let stream = try await client.blob(image.descriptor, of: .test(server.authority), credentials: nil)
        let reader = Task { try await stream.next() }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
      }
    }
  }

  @Test func anEmptyBlobNeedsNoRequest() async throws {
    try await withClient { client in
      let descriptor = Descriptor(mediaType: MediaType.ociConfig, digest: .sha256(of: []), size: 0)
      let bytes = try await client.bytes(descriptor, of: .test("127.0.0.1:1"))
      #expect(bytes.isEmpty)
    }
  }
}
