import CLinux

/// Facts and wishes about pipes, by raw descriptor: their owners are channels of an event loop.
package enum PipeControl {
  /// Bytes that can be read at once; 0 where that cannot be told.
  package static func available(_ descriptor: Int32) -> Int { max(0, Int(clinux_bytes_available(descriptor))) }

  /// Asks for room for `bytes` in a pipe. Only a wish: a socket or a terminal has none, and a kernel may refuse.
  package static func widen(_ descriptor: Int32, to bytes: Int32) { _ = clinux_fcntl_int(descriptor, F_SETPIPE_SZ, bytes) }
}
