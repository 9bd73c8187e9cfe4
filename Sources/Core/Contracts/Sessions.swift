package import Linux

/// A process to run beside a container's own, with its streams in the caller's hands.
package struct ExecSessionPlan: Sendable, Hashable {
  package var container: String
  /// OCI `process` object as JSON, for `runc exec --process`; its `terminal` says the same as `terminal`.
  package var process: [UInt8]
  /// With a terminal stdout carries both streams and there is no stderr.
  package var terminal = false
  package var stdin = false
  package var stdout = true
  package var stderr = true
  /// nil leaves it to the runtime.
  package var score: OutOfMemoryScore?
  /// What is started keeps to this one; nil for any that the container has.
  package var processor: Int?
  /// nil where nobody wants to know.
  package var watch: ExecWatch?

  package init(container: String, process: [UInt8]) {
    self.container = container
    self.process = process
  }
}

/// Which of a running container's streams an attach wants.
package struct AttachPlan: Sendable, Hashable {
  package var container: String
  package var stdin = false
  package var stdout = true
  package var stderr = true
  /// Lines of the log shown before live output begins; 0 for none.
  package var tail = 0

  package init(container: String) { self.container = container }
}

/// The caller's ends of a session's streams: pipes or sockets, close-on-exec and non-blocking. nil where the session has none.
/// Closing `stdin` is the half-close the process sees as end of file. End of file on the others: all of the output has been read.
/// An exec's terminal is no pipe but the terminal's master side, in both `stdin` and `stdout` (one file description): its end reads as EIO once all
/// output has been read, and closing `stdin` says nothing to the process.
package struct SessionStreams: ~Copyable, Sendable {
  package var stdin: FileHandle?
  package var stdout: FileHandle?
  package var stderr: FileHandle?

  package init(stdin: consuming FileHandle?, stdout: consuming FileHandle?, stderr: consuming FileHandle?) {
    self.stdin = stdin
    self.stdout = stdout
    self.stderr = stderr
  }
}

/// A live exec or attach. Dropping it without `end` leaks nothing, but `end` says when that is done.
package protocol StreamSession: Sendable {
  /// The streams, once: the second call gives none.
  func takeStreams() -> SessionStreams
  /// Columns and rows. No effect without a terminal.
  func resize(columns: UInt16, rows: UInt16) async throws
  /// How the process ended: the exec's own, or for an attach the container's. Comes without regard to output that is still in the pipes
  /// or to children that hold them open.
  func exit() async throws -> ExitRecord
  /// The client is gone. An exec's process gets HUP and, if it is still there two seconds later, KILL; an attach is detached and its container
  /// goes on. Idempotent; after the process's own end it only lets go of what the session holds.
  func end() async
}

/// What a pod's task offers beyond the CRI's unary calls.
package protocol SessionTask: Sendable {
  /// FAILED_PRECONDITION where the container does not run, or its command cannot be started (the runtime's message).
  func exec(_ plan: ExecSessionPlan) async throws -> any StreamSession
  /// FAILED_PRECONDITION where the container does not run, or has no stdin and the plan wants it.
  func attach(_ plan: AttachPlan) async throws -> any StreamSession
}
