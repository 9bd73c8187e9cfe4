import Linux
import Logging
import Synchronization

/// Makes written files durable on a thread of its own, so that no pod waits for a disk.
final class BackgroundSync: Sendable {
  private struct State {
    var files: Set<String> = []
    var directories: Set<String> = []
  }

  private let state = Mutex(State())
  private let thread = GatheringThread()
  private let logger: Logger

  init(linger: Duration = .milliseconds(200), logger: Logger) throws(SystemError) {
    self.logger = logger
    // Files of pods that live shorter than this never touch the disk.
    try thread.start("berth-cni-sync", linger: { linger }) { [self] in round() }
  }

  /// The file was written, and is where it is to stay.
  func written(_ path: String) {
    state.withLock { state in
      state.files.insert(path)
      state.directories.insert(Files.parent(of: path))
    }
    thread.ring()
  }

  /// The directory lost or gained a name.
  func changedNames(in directory: String) {
    state.withLock { _ = $0.directories.insert(directory) }
    thread.ring()
  }

  /// Finishes what is queued, then ends the thread.
  func close() { thread.close() }

  private func round() -> Bool {
    let work = state.withLock { state in
      defer { state = State() }
      return state
    }
    for file in work.files { sync(file) { () throws(SystemError) in try Files.sync(file) } }
    for directory in work.directories { sync(directory) { () throws(SystemError) in try Files.syncDirectory(directory) } }
    return false
  }

  private func sync(_ path: String, _ body: () throws(SystemError) -> Void) {
    do {
      try body()
    } catch {
      if error.number != error.noEntry { logger.warning("not durable", metadata: ["path": "\(path)", "error": "\(error)"]) }
    }
  }
}
