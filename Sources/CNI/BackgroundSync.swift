import Linux
import Logging
import Synchronization

/// Makes written files durable on a thread of its own, so that no pod waits for a disk.
final class BackgroundSync: Sendable {
  private struct State {
    var files: Set<String> = []
    var directories: Set<String> = []
    var closing = false
  }

  private let state = Mutex(State())
  private let changed = Wakeup()
  private let urgent = Wakeup()
  private let thread = Mutex<WorkerThread?>(nil)
  private let linger: Duration
  private let logger: Logger

  init(linger: Duration = .milliseconds(200), logger: Logger) throws(SystemError) {
    self.linger = linger
    self.logger = logger
    let started = try WorkerThread("berth-cni-sync") { [self] in run() }
    thread.withLock { $0 = started }
  }

  /// The file was written, and is where it is to stay.
  func written(_ path: String) {
    state.withLock { state in
      state.files.insert(path)
      state.directories.insert(Files.parent(of: path))
    }
    changed.ring()
  }

  /// The directory lost or gained a name.
  func changedNames(in directory: String) {
    state.withLock { _ = $0.directories.insert(directory) }
    changed.ring()
  }

  /// Finishes what is queued, then ends the thread.
  func close() {
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let running else { return }
    state.withLock { $0.closing = true }
    changed.ring()
    urgent.ring()
    running.join()
  }

  private func run() {
    while true {
      changed.wait()
      // Files of pods that live shorter than this never touch the disk.
      urgent.wait(linger)
      let work = state.withLock { state in
        defer { (state.files, state.directories) = ([], []) }
        return state
      }
      for file in work.files { sync(file) { () throws(SystemError) in try Files.sync(file) } }
      for directory in work.directories { sync(directory) { () throws(SystemError) in try Files.syncDirectory(directory) } }
      if work.closing { return }
    }
  }

  private func sync(_ path: String, _ body: () throws(SystemError) -> Void) {
    do {
      try body()
    } catch {
      if error.number != error.noEntry { logger.warning("not durable", metadata: ["path": "\(path)", "error": "\(error)"]) }
    }
  }
}
