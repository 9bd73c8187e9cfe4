/// Which streams a client of exec or attach gets.
package struct CommandStreams: Sendable, Hashable {
  package var stdin = false
  package var stdout = false
  package var stderr = false
  /// stdout carries both streams; the client may tell its size.
  package var terminal = false

  package init(stdin: Bool = false, stdout: Bool = false, stderr: Bool = false, terminal: Bool = false) {
    self.stdin = stdin
    self.stdout = stdout
    self.stderr = stderr
    self.terminal = terminal
  }
}

/// A session that a client will come for.
package enum StreamRequest: Sendable {
  /// `open` is called when the client has come and made its streams; what it throws reaches the client. The client learns the exit code.
  case exec(CommandStreams, open: @Sendable () async throws -> any StreamSession)
  case attach(CommandStreams, open: @Sendable () async throws -> any StreamSession)
  /// `ports`: for clients that name none themselves. `netns` is asked for every connection: a path, nil for the host's own network; it throws
  /// where the pod is not there any more.
  case portForward(pod: String, ports: [UInt16], netns: @Sendable () throws -> String?)
}

/// Where clients of Exec, Attach and PortForward go.
package protocol StreamingEndpoint: Sendable {
  /// A URL that serves this session once, within a minute. RESOURCE_EXHAUSTED where too many wait for their clients.
  func url(for request: StreamRequest) throws -> String
}
