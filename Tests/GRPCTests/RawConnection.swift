import HTTP2
import NIOCore
import NIOPosix

/// A client that says what it wants over HTTP/2, gRPC or not.
final class RawConnection: HTTP2ConnectionDelegate {
  struct Answer: Sendable {
    var headers = Headers()
    var trailers: Headers?
    var body = ByteBuffer()
    /// How the stream closed.
    var closed: ErrorCode?

    /// From the trailers, or from headers that were trailers as well.
    var status: String? { (trailers ?? headers)["grpc-status"] }
    var message: String? { (trailers ?? headers)["grpc-message"] }
  }

  private var connection: HTTP2Connection?
  private var calls: [StreamID: (answer: Answer, promise: EventLoopPromise<Answer>)] = [:]

  static func call(_ path: String, _ requests: [(Headers, [UInt8])]) async throws -> [Answer] {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let box = NIOLoopBoundBox.makeEmptyBox(valueType: RawConnection.self, eventLoop: loop)
    let channel = try await ClientBootstrap(group: loop).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let delegate = RawConnection()
        box.value = delegate
        let connection = HTTP2Connection(.client, configuration: SessionConfiguration(), delegate: delegate)
        try channel.pipeline.syncOperations.addHandler(connection)
      }
    }.connect(unixDomainSocketPath: path).get()
    var answers: [Answer] = []
    for (headers, body) in requests {
      answers.append(try await loop.flatSubmit { box.value!.start(headers, body, loop) }.get())
    }
    try await channel.close()
    return answers
  }

  private func start(_ headers: Headers, _ body: [UInt8], _ loop: any EventLoop) -> EventLoopFuture<Answer> {
    let promise = loop.makePromise(of: Answer.self)
    guard let connection, let stream = connection.session.submitRequest(headers, body: ByteBuffer(bytes: body), end: .end) else {
      promise.fail(ChannelError.ioOnClosedChannel)
      return promise.futureResult
    }
    calls[stream] = (Answer(), promise)
    connection.setNeedsFlush()
    return promise.futureResult
  }

  func opened(_ connection: HTTP2Connection) { self.connection = connection }

  func closed(_ cause: String) {
    connection = nil
    for call in calls.values { call.promise.fail(ChannelError.alreadyClosed) }
    calls = [:]
  }

  func received(_ event: SessionEvent) {
    switch event {
    case .headers(let stream, let headers): calls[stream]?.answer.headers = headers
    case .trailers(let stream, let trailers): calls[stream]?.answer.trailers = trailers
    case .data(let stream, let bytes): calls[stream]?.answer.body.writeImmutableBuffer(bytes)
    case .closed(let stream, let code):
      guard var call = calls.removeValue(forKey: stream) else { return }
      call.answer.closed = code
      call.promise.succeed(call.answer)
    default: break
    }
  }
}
