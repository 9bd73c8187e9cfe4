import CNghttp2
package import NIOCore

extension Session {
  /// Takes bytes from the peer. `time` feeds the flood limits. After a failure bytes are ignored.
  package func receive(_ buffer: ByteBuffer, at time: NIODeadline = .now()) {
    guard failure == nil else { return }
    let result = buffer.withUnsafeReadableBytes { bytes -> Int in
      guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return 0 }
      input = (buffer, base, time)
      return nghttp2_session_mem_recv(handle, base, bytes.count)
    }
    input = nil
    if result < 0 { failed(result) }
  }

  /// Tells that the stream's reader took `count` bytes, so that the peer may send as many again.
  package func consume(_ stream: StreamID, _ count: Int) { nghttp2_session_consume_stream(handle, stream, count) }

  private func failed(_ result: Int) {
    switch nghttp2_error(rawValue: Int32(result)) {
    case NGHTTP2_ERR_FLOODED: fail(.enhanceYourCalm, "too many unanswered PING or SETTINGS frames")
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS: fail(.enhanceYourCalm, "too many CONTINUATION frames")
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC: fail(.protocolError, "the peer does not speak HTTP/2")
    case NGHTTP2_ERR_NOMEM: fatalError("nghttp2: out of memory")
    default: fail(.internalError, diagnosis.isEmpty ? String(cString: nghttp2_strerror(Int32(result))) : diagnosis)
    }
  }
}

/// What the callbacks report, in the order nghttp2 decodes it.
extension Session {
  func beginHeaders(_ stream: StreamID) {
    let inbound = streams[stream, default: Stream()].inbound
    block = HeaderBlock(inbound.nextBlock(isServer: role == .server), limit: configuration.maxHeaderListSize)
    if role == .server, streams[stream] == nil { streams[stream] = Stream() }
  }

  /// False where the connection must end at once.
  func header(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
    do throws(HeaderViolation) {
      try block?.add(name: name, value: value)
      return true
    } catch {
      fail(.enhanceYourCalm, "header list too large")
      return false
    }
  }

  func headersEnded(_ stream: StreamID, endsStream: Bool) {
    guard let block, takes(stream) else { return }
    self.block = nil
    do throws(HeaderViolation) {
      try accept(block, on: stream, endsStream: endsStream)
      if endsStream { try ended(stream) }
    } catch { reject(stream, error) }
  }

  private func accept(_ block: HeaderBlock, on stream: StreamID, endsStream: Bool) throws(HeaderViolation) {
    let headers = try block.finish()
    switch block.kind {
    case .trailers:
      guard endsStream else { throw .malformed("trailers that do not end the stream") }
      events.append(.trailers(stream, headers))
    case .response where headers[":status"]?.first == "1":
      // Informational: the final response is still to come (RFC 9113 section 8.1).
      if endsStream { throw .malformed("informational response that ends the stream") }
    case .request, .response:
      streams[stream]?.inbound.received(contentLength: block.contentLength)
      events.append(.headers(stream, headers))
    }
  }

  /// DATA bytes at `pointer`, inside the buffer being received.
  func data(_ stream: StreamID, _ pointer: UnsafePointer<UInt8>, _ count: Int) {
    // What slow readers have not taken is bounded stream by stream; it must not stop the others.
    nghttp2_session_consume_connection(handle, count)
    guard takes(stream), let input else { return }
    do throws(HeaderViolation) {
      try streams[stream]!.inbound.received(data: count)
    } catch { return reject(stream, error) }
    let index = input.buffer.readerIndex + (pointer - input.base)
    if let slice = input.buffer.getSlice(at: index, length: count) { events.append(.data(stream, slice)) }
  }

  /// False where the connection must end at once.
  func dataFrameEnded(_ stream: StreamID, payload: Int, endsStream: Bool) -> Bool {
    if let reason = flood.data(payload: payload, endsStream: endsStream) {
      fail(.enhanceYourCalm, reason)
      return false
    }
    guard endsStream, takes(stream) else { return true }
    do throws(HeaderViolation) { try ended(stream) } catch { reject(stream, error) }
    return true
  }

  /// A stream that died of what the peer sent: reset by it, or by us for an error of its own.
  func resetByPeer() -> Bool {
    guard role == .server, let reason = flood.reset(at: input?.time ?? .now()) else { return true }
    fail(.enhanceYourCalm, reason)
    return false
  }

  func closed(_ stream: StreamID, _ code: ErrorCode) {
    if streams.removeValue(forKey: stream) != nil { events.append(.closed(stream, code)) }
  }

  /// False where the stream is gone, or was refused.
  private func takes(_ stream: StreamID) -> Bool { streams[stream].map { $0.inbound.phase != .refused } ?? false }

  private func ended(_ stream: StreamID) throws(HeaderViolation) {
    try streams[stream]?.inbound.ended()
    events.append(.end(stream))
  }

  private func reject(_ stream: StreamID, _ violation: HeaderViolation) {
    streams[stream]?.inbound.refuse()
    switch violation {
    case .malformed: reset(stream, .protocolError)
    case .tooLarge, .flood: reset(stream, .enhanceYourCalm)
    }
  }
}
