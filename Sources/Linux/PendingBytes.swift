import CLinux

/// Facts about pipes, sockets and terminals by raw descriptor: their owners are channels of an event loop.
package enum PendingBytes {
  /// Bytes that can be read at once; 0 where that cannot be told.
  package static func of(_ descriptor: Int32) -> Int { max(0, Int(clinux_bytes_available(descriptor))) }
}
