import CNghttp2

// C calls back through these free-standing functions; user data is the session, unretained: it outlives its handle.

private func session(_ userData: UnsafeMutableRawPointer?) -> Session {
  Unmanaged<Session>.fromOpaque(userData!).takeUnretainedValue()
}

private let stop = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

extension nghttp2_frame {
  fileprivate func isType(_ type: nghttp2_frame_type) -> Bool { UInt32(hd.type) == type.rawValue }
  fileprivate func has(_ flag: nghttp2_flag) -> Bool { UInt32(hd.flags) & flag.rawValue != 0 }
}

private let onBeginHeaders: nghttp2_on_begin_headers_callback = { _, frame, userData in
  session(userData).beginHeaders(frame!.pointee.hd.stream_id)
  return 0
}

private let onHeader: nghttp2_on_header_callback = { _, _, name, nameLength, value, valueLength, _, userData in
  let goOn = session(userData).header(
    UnsafeBufferPointer(start: name, count: nameLength), UnsafeBufferPointer(start: value, count: valueLength))
  return goOn ? 0 : stop
}

private let onDataChunk: nghttp2_on_data_chunk_recv_callback = { _, _, stream, bytes, count, userData in
  session(userData).data(stream, bytes!, count)
  return 0
}

private let onFrameReceived: nghttp2_on_frame_recv_callback = { _, frame, userData in
  session(userData).received(frame!.pointee) ? 0 : stop
}

private let onStreamClosed: nghttp2_on_stream_close_callback = { _, stream, code, userData in
  session(userData).closed(stream, ErrorCode(rawValue: code))
  return 0
}

private let onFrameSent: nghttp2_on_frame_send_callback = { _, frame, userData in
  let frame = frame!.pointee
  if frame.isType(NGHTTP2_RST_STREAM) {
    let code = ErrorCode(rawValue: frame.rst_stream.error_code)
    // Errors the peer provokes cost as much as resets of its own (CVE-2025-8671).
    if code != .noError, code != .cancel { _ = session(userData).resetByPeer() }
  } else if frame.has(NGHTTP2_FLAG_END_STREAM), frame.isType(NGHTTP2_DATA) || frame.isType(NGHTTP2_HEADERS) {
    session(userData).sentEnd(frame.hd.stream_id)
  }
  return 0
}

private let onFrameNotSent: nghttp2_on_frame_not_send_callback = { _, frame, _, userData in
  let frame = frame!.pointee
  // A request that came too late: the peer, or this side, is closing.
  if frame.isType(NGHTTP2_HEADERS), frame.headers.cat == NGHTTP2_HCAT_REQUEST {
    session(userData).closed(frame.hd.stream_id, .refusedStream)
  }
  return 0
}

private let onError: nghttp2_error_callback2 = { _, _, text, count, userData in
  let bytes = UnsafeRawBufferPointer(start: text, count: count)
  session(userData).diagnosis = String(decoding: bytes, as: UTF8.self)
  return 0
}

private let onSendData: nghttp2_send_data_callback = { _, frame, header, count, _, userData in
  // No padding is ever asked for, so the frame is its nine-byte header and the payload.
  session(userData).writeData(frame!.pointee.hd.stream_id, header: UnsafeRawBufferPointer(start: header, count: 9), count: count)
  return 0
}

/// Asked when a stream may send: `length` is what flow control and frame size allow.
let onDataWanted: nghttp2_data_source_read_callback = { _, stream, _, length, flags, _, userData in
  guard let next = session(userData).nextData(stream, limit: length) else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
  flags!.pointee |= next.flags
  return next.count
}

extension Session {
  static func makeCallbacks() -> OpaquePointer {
    var callbacks: OpaquePointer?
    guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else { fatalError("nghttp2: out of memory") }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, onBeginHeaders)
    nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader)
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onDataChunk)
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrameReceived)
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onStreamClosed)
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, onFrameSent)
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, onFrameNotSent)
    nghttp2_session_callbacks_set_error_callback2(callbacks, onError)
    nghttp2_session_callbacks_set_send_data_callback(callbacks, onSendData)
    return callbacks
  }

  /// A whole frame was received; false where the connection must end at once.
  fileprivate func received(_ frame: nghttp2_frame) -> Bool {
    let stream = frame.hd.stream_id
    let ends = frame.has(NGHTTP2_FLAG_END_STREAM)
    switch nghttp2_frame_type(rawValue: UInt32(frame.hd.type)) {
    case NGHTTP2_HEADERS: headersEnded(stream, endsStream: ends)
    case NGHTTP2_DATA: return dataFrameEnded(stream, payload: frame.hd.length - frame.data.padlen, endsStream: ends)
    case NGHTTP2_RST_STREAM: return resetByPeer()
    case NGHTTP2_PING where frame.has(NGHTTP2_FLAG_ACK): events.append(.pong)
    case NGHTTP2_GOAWAY: events.append(.goAway(frame.goaway))
    default: break
    }
    return true
  }
}

extension SessionEvent {
  fileprivate static func goAway(_ frame: nghttp2_goaway) -> SessionEvent {
    let debug = UnsafeRawBufferPointer(start: frame.opaque_data, count: min(frame.opaque_data_len, 256))
    return .goAway(frame.last_stream_id, ErrorCode(rawValue: frame.error_code), String(decoding: debug, as: UTF8.self))
  }
}
