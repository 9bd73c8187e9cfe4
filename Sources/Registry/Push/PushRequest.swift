import Core
import NIOCore
import NIOHTTP1

/// One request of a push.
struct PushRequest: Sendable {
  enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// Exactly `length` bytes of what `open` gives; asked again for each try.
    case stream(length: Int64, open: @Sendable () async throws -> any BlobStream)
  }

  let method: HTTPMethod
  let address: WebAddress
  var headers: [(name: String, value: String)] = []
  var body = Body.none
  /// Told how many bytes of the body have been handed to the connection in this try.
  var sent: @Sendable (Int64) -> Void = { _ in }

  /// `PUT https://registry.example/v2/…`, for messages.
  var display: String { "\(method.rawValue) \(address.display)" }
}

/// Counts what a connection takes of a body.
struct UploadBody: AsyncSequence, Sendable {
  let length: Int64
  let open: @Sendable () async throws -> any BlobStream
  let sent: @Sendable (Int64) -> Void

  func makeAsyncIterator() -> Iterator { Iterator(body: self) }

  struct Iterator: AsyncIteratorProtocol {
    let body: UploadBody
    private var stream: (any BlobStream)?
    private var count: Int64 = 0

    init(body: UploadBody) { self.body = body }

    mutating func next() async throws -> ByteBuffer? {
      if count == body.length { return nil }
      let source: any BlobStream
      if let stream { source = stream } else { source = try await body.open() }
      stream = source
      guard let piece = try await source.next() else {
        throw AttemptFailure(Fault(.dataLoss, "the blob ended after \(count) of \(body.length) bytes"))
      }
      let part = piece.prefix(Int(Swift.min(Int64(piece.count), body.length - count)))
      count += Int64(part.count)
      body.sent(count)
      return ByteBuffer(bytes: part)
    }
  }
}
