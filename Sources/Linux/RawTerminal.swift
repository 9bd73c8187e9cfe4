import CLinux

/// This process's terminal while its keys belong to somebody else.
package enum RawTerminal {
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Hands every key through as it is. Undone by ``leave()``, at the process's exit, and when a signal ends or stops it.
  package static func enter(_ descriptor: Int32) throws(SystemError) {
    try check("tcsetattr", "terminal") { clinux_terminal_raw(descriptor) }
  }

  /// As it was before ``enter(_:)``; without effect where that was not called.
  package static func leave() { clinux_terminal_restore() }

  /// Calls `body` on a thread of its own whenever the size may have changed, for the rest of the process's life.
  package static func onResize(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let pipe = try check("pipe2", "terminal") { clinux_terminal_changes() }
    _ = try WorkerThread("resize") {
      var byte: UInt8 = 0
      while read(pipe, &byte, 1) > 0 || clinux_errno() == EINTR { body() }
    }
  }
}

extension Terminal {
  /// nil for what is no terminal, or does not know its size.
  package static func size(of descriptor: Int32) -> (columns: UInt16, rows: UInt16)? {
    var columns: Int32 = 0
    var rows: Int32 = 0
    guard clinux_terminal_size(descriptor, &columns, &rows) == 0, columns > 0, rows > 0 else { return nil }
    return (UInt16(clamping: columns), UInt16(clamping: rows))
  }
}
