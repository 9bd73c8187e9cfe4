import HTTP2
import NIOCore
import Synchronization

/// One call as its client sees it: reads the response's blocks and bytes, and hands messages and the end to its receiver.
///
/// `@unchecked Sendable`: all of it is touched on its connection's event loop only, except `isCancelled`.
final class ClientCall: @unchecked Sendable {
  /// Where the response goes.
  enum Receiver {
    case unary(EventLoopPromise<ByteBuffer>)
    case stream(MessageQueue)
  }

  let path: String
  /// Set before the event loop hears of it, so that a call cancelled before its start never starts.
  let isCancelled = Atomic(false)
  var stream: StreamID?
  var deadline: Scheduled<Void>?
  /// Bytes received and not yet granted to the peer again.
  private(set) var owed = 0
  private let receiver: Receiver
  private var deframer: MessageDeframer
  private var single: ByteBuffer?
  private var headers = Headers()
  private var trailers: Headers?

  init(_ path: String, limit: Int, _ compression: GRPCCompression?, _ receiver: Receiver) {
    self.path = path
    self.receiver = receiver
    deframer = MessageDeframer(limit: limit, kind: "response")
    deframer.compression = compression
  }

  /// Throws where this is no gRPC response.
  func received(_ headers: Headers) throws(GRPCStatus) {
    self.headers = headers
    let status = headers[":status"] ?? ""
    guard status == "200" else { throw GRPCStatus(Self.code(ofHTTP: status), "\(path): the server answered HTTP \(status)") }
    guard headers["content-type"]?.hasPrefix("application/grpc") ?? false else {
      throw GRPCStatus(.unknown, "\(path): the server's content-type is \"\(headers["content-type"] ?? "")\"")
    }
    deframer.encoding = headers["grpc-encoding"]
  }

  func received(trailers: Headers) { self.trailers = trailers }

  /// Takes body bytes. Returns how many the peer may send again: none while a slow reader has messages it did not take.
  func received(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
    owed += bytes.readableBytes
    deframer.append(bytes)
    while let message = try deframer.next() {
      switch receiver {
      case .stream(let queue): queue.push(message)
      case .unary:
        guard single == nil else { throw GRPCStatus(.internal, "\(path): more than one response message") }
        single = message
      }
    }
    if case .stream(let queue) = receiver, !queue.isEmptyElseWantsCredit() { return 0 }
    return takeOwed()
  }

  func takeOwed() -> Int {
    defer { owed = 0 }
    return owed
  }

  /// The server said all: by its trailers, or by headers that were trailers as well.
  func ended() {
    do throws(GRPCStatus) {
      try deframer.finish()
      let status = try status(in: trailers ?? headers)
      guard status.code == .ok else { return fail(status) }
      succeed()
    } catch { fail(error) }
  }

  func fail(_ status: GRPCStatus) {
    deadline?.cancel()
    switch receiver {
    case .unary(let promise): promise.fail(status)
    case .stream(let queue): queue.finish(status)
    }
  }

  private func succeed() {
    deadline?.cancel()
    switch receiver {
    case .stream(let queue): queue.finish(nil)
    case .unary(let promise):
      guard let single else { return promise.fail(GRPCStatus(.internal, "\(path): no response message")) }
      promise.succeed(single)
    }
  }

  private func status(in headers: Headers) throws(GRPCStatus) -> GRPCStatus {
    guard let text = headers["grpc-status"], let number = UInt32(text) else {
      throw GRPCStatus(.internal, "\(path): the response ended without a grpc-status")
    }
    return GRPCStatus(
      GRPCStatus.Code(rawValue: number) ?? .unknown, StatusMessage.decode(headers["grpc-message"] ?? ""),
      details: headers["grpc-status-details-bin"].flatMap(BinaryValue.decode) ?? [])
  }

  /// What gRPC says an HTTP status amounts to (`doc/http-grpc-status-mapping.md` of grpc).
  private static func code(ofHTTP status: String) -> GRPCStatus.Code {
    switch status {
    case "400": .internal
    case "401": .unauthenticated
    case "403": .permissionDenied
    case "404": .unimplemented
    case "429", "502", "503", "504": .unavailable
    default: .unknown
    }
  }
}

extension GRPCStatus {
  /// What a reset stream amounts to (gRPC over HTTP/2, "Errors").
  init(reset code: ErrorCode, path: String) {
    let status: Code =
      switch code {
      case .refusedStream: .unavailable
      case .cancel: .cancelled
      case .enhanceYourCalm: .resourceExhausted
      case .inadequateSecurity: .permissionDenied
      default: .internal
      }
    self.init(status, "\(path): the server reset the stream: \(code)")
  }
}
