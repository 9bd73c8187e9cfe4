import HTTP2
import Logging
import NIOCore

/// The calls of one client. Confined to its event loop.
final class ServerConnection: HTTP2ConnectionDelegate {
  private let core: ServerCore
  private let eventLoop: any EventLoop
  private let executor: LoopExecutor
  private var connection: HTTP2Connection?
  private var calls: [StreamID: ServerCall] = [:]
  private var isDraining = false

  init(_ core: ServerCore, on eventLoop: any EventLoop) {
    self.core = core
    self.eventLoop = eventLoop
    executor = LoopExecutor(eventLoop)
  }

  func opened(_ connection: HTTP2Connection) {
    self.connection = connection
    core.connections.add(self, on: eventLoop)
  }

  func closed(_ cause: String) {
    connection = nil
    for call in calls.values { call.end(.disconnected) }
    calls = [:]
    core.connections.remove(self)
  }

  func received(_ event: SessionEvent) {
    switch event {
    case .headers(let stream, let headers): begin(stream, headers)
    case .data(let stream, let bytes): append(bytes, to: stream)
    case .end(let stream): start(stream)
    case .closed(let stream, _): calls.removeValue(forKey: stream)?.end(.reset)
    case .writable(let stream): resumeWriter(stream)
    case .pong: if isDraining { goAway() }
    case .failed(let code, let reason): core.logger.warning("closing a connection", metadata: ["code": "\(code)", "reason": "\(reason)"])
    case .trailers, .goAway: break
    }
  }
}

/// From headers to a running handler.
extension ServerConnection {
  private func begin(_ stream: StreamID, _ headers: Headers) {
    do throws(RequestHead.Refusal) {
      let head = try RequestHead(headers)
      let method = try core.route(head.path)
      let context = CallContext(
        path: head.path, metadata: head.metadata, deadline: head.timeout.map { .now + $0 }, cancellation: CallCancellation())
      let assembly = RequestAssembly(limit: core.configuration.maxRequestSize, encoding: head.encoding)
      let call = ServerCall(method, context, assembly)
      calls[stream] = call
      if let timeout = head.timeout { call.deadline = schedule(timeout, on: stream) }
    } catch { refuse(stream, error) }
  }

  private func append(_ bytes: ByteBuffer, to stream: StreamID) {
    connection?.session.consume(stream, bytes.readableBytes)
    guard let call = calls[stream], case .receiving(var assembly) = call.phase else { return }
    // The phase gives up its share of the bytes, or each piece would copy all that came before it.
    call.phase = .receiving(RequestAssembly(limit: 0, encoding: nil))
    do throws(GRPCStatus) {
      try assembly.append(bytes)
      call.phase = .receiving(assembly)
    } catch { finish(stream, .failure(error)) }
  }

  private func start(_ stream: StreamID) {
    guard let call = calls[stream], case .receiving(let assembly) = call.phase else { return }
    do throws(GRPCStatus) { run(call, try assembly.finish(), on: stream) } catch { finish(stream, .failure(error)) }
  }

  private func run(_ call: ServerCall, _ request: ByteBuffer, on stream: StreamID) {
    let responder = Responder(
      connection: NIOLoopBound(self, eventLoop: eventLoop), eventLoop: eventLoop, stream: stream,
      limit: core.configuration.maxResponseSize)
    let (core, method, context) = (core, call.method, call.context)
    let task = Task(executorPreference: method.kind == .immediate ? executor : nil) {
      do {
        let answer = try await core.run(context) {
          let answer = try await method.handle(request, context, responder)
          if answer != nil { context.responses.sent() }
          return answer
        }
        responder.finish(.success(answer))
      } catch { responder.finish(.failure(GRPCStatus(error))) }
    }
    call.phase = .running(task)
  }

  private func schedule(_ timeout: Duration, on stream: StreamID) -> Scheduled<Void> {
    eventLoop.assumeIsolated().scheduleTask(in: timeout.timer) { [weak self] in
      guard let self, let call = calls[stream] else { return }
      end(stream, .deadline, GRPCStatus(.deadlineExceeded, "\(call.context.path): deadline of \(timeout.readable) exceeded"))
    }
  }
}

/// From a running handler to the end.
extension ServerConnection {
  /// Sends one message of a stream. The future completes when the client keeps up.
  func write(_ message: ByteBuffer, on stream: StreamID) -> EventLoopFuture<Void> {
    guard let call = calls[stream], let connection else {
      return eventLoop.makeFailedFuture(GRPCStatus(.cancelled, "the call is over"))
    }
    connection.setNeedsFlush()
    if !call.headersSent {
      call.headersSent = true
      connection.session.submitResponse(stream, ResponseHeaders.ok, end: .open)
    }
    if connection.session.send(stream, body: message, end: .open) { return eventLoop.makeSucceededVoidFuture() }
    let promise = eventLoop.makePromise(of: Void.self)
    // Writers of one call that do not wait for each other wait together.
    if let earlier = call.writer { promise.futureResult.cascade(to: earlier) }
    call.writer = promise
    return promise.futureResult
  }

  func finish(_ stream: StreamID, _ result: Result<ByteBuffer?, GRPCStatus>) {
    guard let call = calls.removeValue(forKey: stream), let connection else { return }
    call.end(nil)
    let session = connection.session
    switch result {
    case .success where call.headersSent: session.send(stream, end: .trailers(ResponseHeaders.okTrailers))
    case .success(let message):
      session.submitResponse(stream, ResponseHeaders.ok, body: message, end: .trailers(ResponseHeaders.okTrailers))
    case .failure(let status) where call.headersSent: session.send(stream, end: .trailers(ResponseHeaders.trailers(status)))
    case .failure(let status): session.submitResponse(stream, ResponseHeaders.trailersOnly(status), end: .end)
    }
    connection.setNeedsFlush()
  }

  /// Answers in the handler's stead, and cancels it.
  private func end(_ stream: StreamID, _ reason: CallCancellation.Reason, _ status: GRPCStatus) {
    let call = calls[stream]
    finish(stream, .failure(status))
    call?.end(reason)
  }

  private func refuse(_ stream: StreamID, _ refusal: RequestHead.Refusal) {
    switch refusal {
    case .grpc(let status): connection?.session.submitResponse(stream, ResponseHeaders.trailersOnly(status), end: .end)
    case .http(let status, let text):
      connection?.session.submitResponse(stream, ResponseHeaders.http(status), body: ByteBuffer(string: text + "\n"), end: .end)
    }
    connection?.setNeedsFlush()
  }

  private func resumeWriter(_ stream: StreamID) {
    guard let call = calls[stream], let writer = call.writer else { return }
    call.writer = nil
    writer.succeed()
  }
}

/// Going down.
extension ServerConnection {
  /// How long a client may take to see that GOAWAY is coming.
  private static let notice = TimeAmount.milliseconds(500)
  /// How long a connection may take to close once everything on it was ended.
  private static let patience = TimeAmount.seconds(2)

  /// Announces GOAWAY, ends the streams that have no end of their own, and lets unary calls finish.
  func drain() {
    guard !isDraining, let connection else { return }
    isDraining = true
    connection.session.announceShutdown()
    connection.session.ping()
    connection.setNeedsFlush()
    endCalls { $0.method.kind == .serverStreaming }
    eventLoop.assumeIsolated().scheduleTask(in: Self.notice) { [weak self] in self?.goAway() }
  }

  /// Ends all calls with UNAVAILABLE and closes.
  func terminate() {
    endCalls { _ in true }
    connection?.session.goAway()
    connection?.setNeedsFlush()
    eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in self?.connection?.abort("server is shutting down") }
  }

  private func endCalls(where condition: (ServerCall) -> Bool) {
    for (stream, call) in calls where condition(call) {
      end(stream, .shutdown, GRPCStatus(.unavailable, "\(call.context.path): server is shutting down"))
    }
  }

  private func goAway() {
    connection?.session.goAway()
    connection?.setNeedsFlush()
  }
}
