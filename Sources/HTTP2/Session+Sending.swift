import CNghttp2
package import NIOCore

extension Session {
  /// The next bytes for the peer; `nil` when there are none.
  package func nextOutput() -> ByteBuffer? {
    if output.count == 0 { makeOutput() }
    return output.takeFirst()
  }

  /// Frames that wait to be written, with what they carry.
  private static let ahead = 128 << 10

  private func makeOutput() {
    while output.count < Self.ahead {
      var bytes: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(handle, &bytes)
      guard count > 0 else { return }
      output.append(UnsafeRawBufferPointer(start: bytes, count: count))
    }
  }

  /// Begins a request; `nil` where no more streams can be opened on this connection.
  package func submitRequest(_ headers: Headers, body: ByteBuffer? = nil, end: StreamEnd) -> StreamID? {
    let stream = Stream(body: body, end: end)
    let id = headers.withNameValues { fields, count in
      guard !stream.isHeadersOnly else { return nghttp2_submit_request(handle, nil, fields, count, nil, nil) }
      var provider = Self.dataProvider
      return nghttp2_submit_request(handle, nil, fields, count, &provider, nil)
    }
    guard id > 0 else { return nil }
    streams[id] = stream
    return id
  }

  /// Begins the response; does nothing where the stream is gone.
  package func submitResponse(_ id: StreamID, _ headers: Headers, body: ByteBuffer? = nil, end: StreamEnd) {
    guard streams[id] != nil else { return }
    let outbox = Outbox(body: body, end: end)
    streams[id]!.outbox = outbox
    let result = headers.withNameValues { fields, count in
      guard !outbox.isHeadersOnly else { return nghttp2_submit_response(handle, id, fields, count, nil) }
      var provider = Self.dataProvider
      return nghttp2_submit_response(handle, id, fields, count, &provider)
    }
    if result != 0 { reset(id, .internalError) }
  }

  /// Adds to the body of a stream whose headers were submitted. False asks the writer to wait for ``SessionEvent/writable(_:)``.
  /// Does nothing where the stream is gone.
  @discardableResult
  package func send(_ id: StreamID, body: ByteBuffer? = nil, end: StreamEnd) -> Bool {
    guard streams[id] != nil else { return true }
    streams[id]!.outbox.append(body, end: end)
    if streams[id]!.outbox.isDeferred {
      streams[id]!.outbox.isDeferred = false
      nghttp2_session_resume_data(handle, id)
    }
    let above = streams[id]!.outbox.bytes > configuration.outboundHighWater
    streams[id]!.outbox.isAboveHighWater = above
    return !above
  }

  /// Ends a stream at once. What waited to be sent on it is dropped.
  package func reset(_ id: StreamID, _ code: ErrorCode) {
    nghttp2_submit_rst_stream(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
  }

  /// Asks the peer for a ``SessionEvent/pong``.
  package func ping() { nghttp2_submit_ping(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil) }

  /// First step of a graceful end: says that GOAWAY is coming, so that no request in flight is lost (RFC 9113 section 6.8).
  package func announceShutdown() { nghttp2_submit_shutdown_notice(handle) }

  /// Takes no further streams; those that are open go on. ``isFinished`` once the last one ended.
  package func goAway(_ code: ErrorCode = .noError) {
    let last = nghttp2_session_get_last_proc_stream_id(handle)
    nghttp2_submit_goaway(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code.rawValue, nil, 0)
  }

  /// Ends the connection now: GOAWAY, then nothing.
  package func terminate(_ code: ErrorCode = .noError) { nghttp2_session_terminate_session(handle, code.rawValue) }
}

/// What the callbacks ask for while output is made.
extension Session {
  /// How many bytes the next DATA frame gets, and what follows it; `nil` while there is nothing.
  func nextData(_ id: StreamID, limit: Int) -> (count: Int, flags: UInt32)? {
    guard let outbox = streams[id]?.outbox else { return (0, NGHTTP2_DATA_FLAG_EOF.rawValue) }
    let count = min(limit, outbox.bytes)
    if count == 0, outbox.isOpen {
      streams[id]!.outbox.isDeferred = true
      return nil
    }
    var flags = NGHTTP2_DATA_FLAG_NO_COPY.rawValue
    guard count == outbox.bytes else { return (count, flags) }
    switch outbox.end {
    case .open: break
    case .end: flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
    case .trailers(let trailers):
      flags |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
      _ = trailers.withNameValues { nghttp2_submit_trailer(handle, id, $0, $1) }
    }
    return (count, flags)
  }

  /// Writes one DATA frame: its header, then `count` bytes of the stream's outbox.
  func writeData(_ id: StreamID, header: UnsafeRawBufferPointer, count: Int) {
    output.append(header)
    guard streams[id] != nil else { return }
    streams[id]!.outbox.take(count, into: &output)
    if streams[id]!.outbox.isAboveHighWater, streams[id]!.outbox.bytes <= configuration.outboundHighWater / 2 {
      streams[id]!.outbox.isAboveHighWater = false
      events.append(.writable(id))
    }
  }

  /// A server that said everything does not wait for the rest of the request (RFC 9113 section 8.1).
  func sentEnd(_ id: StreamID) {
    if role == .server, nghttp2_session_get_stream_remote_close(handle, id) == 0 { reset(id, .noError) }
  }

  private static var dataProvider: nghttp2_data_provider {
    nghttp2_data_provider(source: nghttp2_data_source(ptr: nil), read_callback: onDataWanted)
  }
}

extension Session.Stream {
  init(body: ByteBuffer?, end: StreamEnd) { outbox = Outbox(body: body, end: end) }

  var isHeadersOnly: Bool { outbox.isHeadersOnly }
}

extension Headers {
  /// The fields as nghttp2 takes them: valid during `body`, which copies them.
  func withNameValues<R>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> R) -> R {
    let total = fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: total + 1) { bytes in
      withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count) { entries in
        var next = bytes.baseAddress!
        for (index, field) in fields.enumerated() {
          let name = next.copy(field.name)
          let value = name.end.copy(field.value)
          next = value.end
          entries.initializeElement(
            at: index,
            to: nghttp2_nv(name: name.start, value: value.start, namelen: name.count, valuelen: value.count, flags: 0))
        }
        return body(entries.baseAddress, fields.count)
      }
    }
  }
}

extension UnsafeMutablePointer<UInt8> {
  fileprivate func copy(_ text: String) -> (start: Self, count: Int, end: Self) {
    let count = text.utf8.count
    _ = UnsafeMutableBufferPointer(start: self, count: count).initialize(from: text.utf8)
    return (self, count, self + count)
  }
}
