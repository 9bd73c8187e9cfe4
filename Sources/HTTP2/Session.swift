import CNghttp2
import NIOCore

/// One side of an HTTP/2 connection: bytes in, bytes and events out; no I/O, no clock of its own.
///
/// The one owner of an `nghttp2_session`. Not thread-safe: a connection belongs to its event loop.
/// After every call that may have caused something, take ``takeEvents()`` and ``nextOutput()``.
package final class Session {
  package enum Role: Sendable { case client, server }

  package let role: Role
  let configuration: SessionConfiguration
  /// `nghttp2_session *`; freed in deinit.
  let handle: OpaquePointer
  var streams: [StreamID: Stream] = [:]
  var events: [SessionEvent] = []
  var flood: FloodGuard
  /// The header block being received; nghttp2 receives one at a time.
  var block: HeaderBlock?
  var output = OutputPieces()
  /// What ``receive(_:at:)`` is working on, so that a chunk of DATA becomes a slice of it.
  var input: (buffer: ByteBuffer, base: UnsafePointer<UInt8>, time: NIODeadline)?
  /// nghttp2's last words about what is wrong.
  var diagnosis = ""
  private(set) var failure: ErrorCode?

  /// Both directions of one stream.
  struct Stream {
    var inbound = InboundStream()
    var outbox = Outbox()
  }

  package init(_ role: Role, configuration: SessionConfiguration = SessionConfiguration()) {
    self.role = role
    self.configuration = configuration
    flood = FloodGuard(configuration)
    handle = Self.makeHandle(role, configuration)
    nghttp2_session_set_user_data(handle, Unmanaged.passUnretained(self).toOpaque())
    submitSettings()
  }

  deinit { nghttp2_session_del(handle) }

  /// The events since the last call.
  package func takeEvents() -> [SessionEvent] {
    defer { events.removeAll() }
    return events
  }

  /// Nothing more to read or to write: time to close the connection.
  package var isFinished: Bool { nghttp2_session_want_read(handle) == 0 && nghttp2_session_want_write(handle) == 0 }

  /// Streams that are open, on whichever side.
  package var openStreams: Int { streams.count }

  /// Ends the connection for what the peer did: GOAWAY with `code`, then nothing.
  func fail(_ code: ErrorCode, _ reason: String) {
    guard failure == nil else { return }
    failure = code
    events.append(.failed(code, reason))
    nghttp2_session_terminate_session(handle, code.rawValue)
  }

  private func submitSettings() {
    var entries: [nghttp2_settings_entry] = [
      Self.setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, role == .server ? configuration.maxConcurrentStreams : 0),
      Self.setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(configuration.streamWindow)),
      Self.setting(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, configuration.maxFrameSize),
      Self.setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(configuration.maxHeaderListSize)),
      Self.setting(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
    ]
    if role == .client { entries.append(Self.setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)) }
    nghttp2_submit_settings(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
    nghttp2_session_set_local_window_size(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, configuration.connectionWindow)
  }

  private static func setting(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
    nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
  }

  private static func makeHandle(_ role: Role, _ configuration: SessionConfiguration) -> OpaquePointer {
    let options = makeOptions(configuration)
    let callbacks = makeCallbacks()
    defer {
      nghttp2_option_del(options)
      nghttp2_session_callbacks_del(callbacks)
    }
    var handle: OpaquePointer?
    let result =
      switch role {
      case .client: nghttp2_session_client_new2(&handle, callbacks, nil, options)
      case .server: nghttp2_session_server_new2(&handle, callbacks, nil, options)
      }
    guard result == 0, let handle else { fatalError("nghttp2: out of memory") }
    return handle
  }

  private static func makeOptions(_ configuration: SessionConfiguration) -> OpaquePointer {
    var options: OpaquePointer?
    guard nghttp2_option_new(&options) == 0, let options else { fatalError("nghttp2: out of memory") }
    nghttp2_option_set_no_http_messaging(options, 1)
    nghttp2_option_set_no_auto_window_update(options, 1)
    nghttp2_option_set_no_closed_streams(options, 1)
    nghttp2_option_set_max_outbound_ack(options, configuration.maxOutboundAcks)
    nghttp2_option_set_max_continuations(options, configuration.maxContinuations)
    // FloodGuard decides first, with the code that says what is wrong; this is a second line behind it.
    nghttp2_option_set_stream_reset_rate_limit(
      options, UInt64(2 * configuration.resetBurst + 1000), UInt64(2 * configuration.resetsPerSecond + 100))
    return options
  }
}
