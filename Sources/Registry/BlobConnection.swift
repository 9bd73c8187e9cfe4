import AsyncHTTPClient
import Core
import NIOCore
import NIOHTTP1
import OCI

/// One request for a blob, or for the rest of it, and the reading of its response.
struct BlobConnection: Sendable {
  let endpoint: Endpoint
  let descriptor: Descriptor
  /// First byte not delivered yet.
  let start: Int64
  /// Entity tag of what this host gave before.
  let validator: String?
  let exchange: Exchange
  let policy: TransferPolicy
  let channel: BlobChannel
  let meter = TransferMeter()

  private var unread: UnreadBodies { exchange.connections.unread }
  private var path: String { "blobs/\(descriptor.digest)" }
  private var place: String { "GET \(endpoint.address(path).display)" }

  /// How it failed, or `nil` where the response came to its end; ``meter`` says how far it got.
  func run() async -> AttemptFailure? {
    let transfer = unread.open()
    defer { unread.close(transfer) }
    do {
      let response = try await exchange.ask(Question(path: path, from: start, validator: validator, transfer: transfer), of: endpoint)
      let skipped = try await skipped(in: response)
      try await withThrowingTaskGroup { group in
        group.addTask { try await read(response, transfer, skipping: skipped) }
        group.addTask { try await watch() }
        defer { group.cancelAll() }
        try await group.next()
      }
      return Task.isCancelled ? AttemptFailure(CancellationError(), asking: endpoint.address(path)) : nil
    } catch {
      return AttemptFailure(error, asking: endpoint.address(path))
    }
  }

  /// How many bytes of the body are known already. Responses that contradict the request or the manifest are refused.
  private func skipped(in response: HTTPClientResponse) async throws -> Int64 {
    let expected = ExpectedBody(start: start, size: descriptor.size)
    let length = response.headers.first(name: "Content-Length").flatMap { Int64($0) }
    do {
      if response.status == .ok || response.status == .partialContent { try checkTag(of: response) }
      switch response.status {
      case .ok: return try expected.whole(length: length)
      case .partialContent: return try expected.part(range: response.headers.first(name: "Content-Range"), length: length)
      case .rangeNotSatisfiable where start > 0: throw expected.tooShort
      default: throw await Refusal(response, within: policy).failure(place)
      }
    } catch let fault as Fault {
      throw AttemptFailure(Fault(fault.code, "\(place): \(fault.message)", cause: fault.cause))
    }
  }

  /// A digest names one content: if a host has another by now, what came before may be the wrong one as well.
  private func checkTag(of response: HTTPClientResponse) throws(Fault) {
    let tag = response.strongTag
    meter.answered(tag)
    guard start > 0, let validator, let tag, tag != validator else { return }
    throw Fault(
      .dataLoss, "the blob changed at byte \(start): its tag was \(Excerpt.of(validator)), now it is \(Excerpt.of(tag))",
      cause: BlobChanged())
  }

  private func read(_ response: HTTPClientResponse, _ transfer: Int, skipping skipped: Int64) async throws {
    var pieces = PieceBuilder(skip: skipped, left: descriptor.size - start, pieceSize: policy.chunkSize)
    defer { if let piece = pieces.rest() { give(piece) } }
    do {
      do {
        for try await buffer in response.body { try await take(buffer, &pieces) }
      } catch {
        if error is PieceBuilder.TooLong { throw error }
        for buffer in unread.take(transfer) { try await take(buffer, &pieces) }
        throw error
      }
    } catch is PieceBuilder.TooLong {
      throw AttemptFailure(Fault(.dataLoss, "\(place): more than the \(descriptor.size) bytes of the manifest"))
    }
  }

  private func take(_ buffer: ByteBuffer, _ pieces: inout PieceBuilder) async throws {
    meter.received(buffer.readableBytes)
    if let piece = try pieces.add(buffer) { await deliver(piece) }
  }

  private func deliver(_ piece: [UInt8]) async {
    give(piece)
    if channel.isFull { await meter.waiting { await channel.waitForRoom() } }
  }

  private func give(_ piece: [UInt8]) {
    meter.delivered(piece.count)
    channel.offer(piece)
  }

  /// Ends by throwing when the connection is as good as dead. Time that the reader took is not held against the host.
  private func watch() async throws {
    while true {
      try await Task.sleep(for: policy.stallWindow)
      let lap = meter.lap()
      if lap.waited < policy.stallWindow / 2, lap.received < policy.stallBytes {
        throw AttemptFailure.stalled(place, bytes: Int64(lap.received), in: policy.stallWindow)
      }
    }
  }
}
