import Core
import Linux
import Synchronization

/// A look at a running container; the container is not its.
final class AttachSession: StreamSession {
  private let pod: ShimPod
  private let container: String
  private let streams: Mutex<SessionStreams?>

  init(_ pod: ShimPod, _ container: String, _ streams: consuming SessionStreams) {
    self.pod = pod
    self.container = container
    self.streams = Mutex(streams)
  }

  func takeStreams() -> SessionStreams {
    streams.withLock { streams in
      guard let taken = streams.take() else { return SessionStreams(stdin: nil, stdout: nil, stderr: nil) }
      return taken
    }
  }

  func resize(columns: UInt16, rows: UInt16) async throws { try await pod.resizeTerminal(container, columns: columns, rows: rows) }
  func exit() async throws -> ExitRecord { try await pod.wait(container) }
  /// The shim lets go of its ends when ours are closed.
  func end() async { streams.withLock { $0 = nil } }
}
