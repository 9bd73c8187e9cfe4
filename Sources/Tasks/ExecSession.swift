import Core
import Linux
import Synchronization

/// A process that `exec` started, with its streams.
final class ExecSession: StreamSession {
  private static let farewell = Duration.seconds(2)

  private struct State: ~Copyable {
    var streams: SessionStreams?
    /// The terminal's master, for its size; open as long as the session is.
    var terminal: FileHandle?
    var ending: Task<Void, Never>?
    var exit: ExitRecord?
  }

  private let process: ExecProcess
  private let state: Mutex<State>

  init(_ process: ExecProcess, _ streams: consuming SessionStreams, terminal: consuming FileHandle? = nil) {
    self.process = process
    state = Mutex(State(streams: streams, terminal: terminal))
  }

  deinit {
    let process = process
    state.withLock { state in
      if state.ending == nil { Task.detached { await process.dismiss(after: Self.farewell) } }
    }
  }

  func takeStreams() -> SessionStreams {
    state.withLock { state in
      guard let streams = state.streams.take() else { return SessionStreams(stdin: nil, stdout: nil, stderr: nil) }
      return streams
    }
  }

  func resize(columns: UInt16, rows: UInt16) async throws {
    try state.withLock { state in try state.terminal?.resizeTerminal(columns: columns, rows: rows) }
  }

  func exit() async throws -> ExitRecord {
    if let exit = state.withLock({ $0.exit }) { return exit }
    let exit = try await process.wait()
    state.withLock { $0.exit = exit }
    return exit
  }

  func end() async {
    let process = process
    let ending = state.withLock { state in
      state.streams = nil
      state.terminal = nil
      let ending = state.ending ?? Task { await process.dismiss(after: Self.farewell) }
      state.ending = ending
      return ending
    }
    await ending.value
  }
}
