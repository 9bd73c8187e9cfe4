import HTTP2
import NIOCore
import Synchronization

/// The calls on one connection to a server. Confined to its event loop.
final class ClientConnection: HTTP2ConnectionDelegate {
  private let server: String
  private let eventLoop: any EventLoop
  private var connection: HTTP2Connection?
  private var calls: [StreamID: ClientCall] = [:]
  /// Why no call can be made, once that is so.
  private var refusal: String?

  /// `server` names the other side in errors.
  init(_ server: String, on eventLoop: any EventLoop) {
    self.server = server
    self.eventLoop = eventLoop
  }

  func opened(_ connection: HTTP2Connection) { self.connection = connection }

  func closed(_ cause: String) {
    connection = nil
    refusal = refusal ?? cause
    let status = unavailable
    let calls = calls.values
    self.calls = [:]
    for call in calls { call.fail(status) }
  }

  func received(_ event: SessionEvent) {
    switch event {
    case .headers(let stream, let headers): attempt(stream) { call throws(GRPCStatus) in try call.received(headers) }
    case .trailers(let stream, let trailers): calls[stream]?.received(trailers: trailers)
    case .data(let stream, let bytes): receive(bytes, on: stream)
    case .end(let stream): calls.removeValue(forKey: stream)?.ended()
    case .closed(let stream, let code): closed(stream, code)
    case .goAway(_, let code, let text): refusal = "the server closes the connection: \(code)\(text.isEmpty ? "" : ", \(text)")"
    case .failed(let code, let reason): refusal = "the server broke HTTP/2: \(code), \(reason)"
    case .writable, .pong: break
    }
  }

  func start(_ call: ClientCall, _ headers: Headers, _ request: ByteBuffer, timeout: Duration?) {
    guard !call.isCancelled.load(ordering: .acquiring) else { return call.fail(Self.cancelled) }
    guard refusal == nil, let connection, let stream = connection.session.submitRequest(headers, body: request, end: .end) else {
      return call.fail(unavailable)
    }
    call.stream = stream
    calls[stream] = call
    connection.setNeedsFlush()
    guard let timeout else { return }
    call.deadline = eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(timeout.nanoseconds)) { [weak self] in
      self?.abandon(call, GRPCStatus(.deadlineExceeded, "\(call.path): deadline of \(timeout.readable) exceeded"))
    }
  }

  func cancel(_ call: ClientCall) { abandon(call, Self.cancelled) }

  /// The call's reader has caught up: the peer may go on.
  func grant(_ call: ClientCall) {
    guard let stream = call.stream, calls[stream] === call, let connection else { return }
    connection.session.consume(stream, call.takeOwed())
    connection.setNeedsFlush()
  }

  /// Ends the connection; calls that still run fail.
  func close() {
    refusal = "closed by the client"
    connection?.session.terminate()
    connection?.setNeedsFlush()
  }

  private func receive(_ bytes: ByteBuffer, on stream: StreamID) {
    attempt(stream) { call throws(GRPCStatus) in
      let credit = try call.received(bytes)
      if credit > 0 { connection?.session.consume(stream, credit) }
    }
  }

  private func closed(_ stream: StreamID, _ code: ErrorCode) {
    guard let call = calls.removeValue(forKey: stream) else { return }
    let status = code == .refusedStream && refusal != nil ? unavailable : GRPCStatus(reset: code, path: call.path)
    call.fail(status)
  }

  private func attempt(_ stream: StreamID, _ body: (ClientCall) throws(GRPCStatus) -> Void) {
    guard let call = calls[stream] else { return }
    do throws(GRPCStatus) { try body(call) } catch { abandon(call, error) }
  }

  /// Ends a call from this side: the server is told by a reset.
  private func abandon(_ call: ClientCall, _ status: GRPCStatus) {
    guard let stream = call.stream, calls.removeValue(forKey: stream) != nil else { return }
    connection?.session.reset(stream, .cancel)
    connection?.setNeedsFlush()
    call.fail(status)
  }

  private var unavailable: GRPCStatus { GRPCStatus(.unavailable, "\(server): \(refusal ?? "connection closed")") }

  private static var cancelled: GRPCStatus { GRPCStatus(.cancelled, "cancelled by the caller") }
}
