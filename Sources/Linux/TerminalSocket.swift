import CLinux

/// A Unix socket on which an OCI runtime hands over the master side of a terminal it made (`--console-socket`).
package struct TerminalSocket: ~Copyable, Sendable {
  private let listener: FileHandle
  private let path: String

  /// Listens as `name` in `directory`; the name stays until the caller removes it.
  package init(in directory: String, name: String) throws(SystemError) {
    let listener = try UnixSocket.listen(in: directory, name: name, backlog: 1)
    let raw = listener.raw
    try check("fcntl", name) { shim_set_nonblocking(raw) }
    self.listener = listener
    path = "\(directory)/\(name)"
  }

  /// Once the runtime has ended: all that it sent is there. The terminal, non-blocking. EAGAIN where it sent none, ENOTTY for something else.
  package func take() throws(SystemError) -> FileHandle {
    let peer = FileHandle(owning: try check("accept", path) { shim_accept(listener.raw) })
    let terminal = FileHandle(owning: try check("recvmsg", path) { shim_receive_descriptor(peer.raw) })
    if isatty(terminal.raw) == 0 { throw SystemError(ENOTTY, call: "isatty", object: path) }
    try check("fcntl", path) { shim_set_nonblocking(terminal.raw) }
    return terminal
  }
}

extension FileHandle {
  /// Of the terminal that this is.
  package func resizeTerminal(columns: UInt16, rows: UInt16) throws(SystemError) {
    try check("TIOCSWINSZ") { shim_resize_terminal(raw, columns, rows) }
  }
}
