import Core
import Linux
import Synchronization

/// The pipes of one session: FIFOs in the pod's directory, which lose their names as soon as the shim has opened its ends, and with them what a
/// daemon killed in between would leave there.
final class SessionPipes: Sendable {
  /// The kernel's default (64 kB) costs twice as many switches between the two sides.
  private static let size: Int32 = 256 << 10

  private struct Ends: ~Copyable {
    var streams: SessionStreams
    /// Reads and writes stdin's FIFO, so that our end could be opened before the shim's.
    var both: FileHandle?
  }

  /// Paths; empty where there is none.
  let stdin: String
  let stdout: String
  let stderr: String
  private let ends: Mutex<Ends?>

  /// `name` is new in `directory`. With a label (SELinux) a confined process may use them.
  init(in directory: String, name: String, stdin: Bool, stdout: Bool, stderr: Bool, label: String? = nil) throws(SystemError) {
    let path = { (wanted: Bool, stream: String) in wanted ? "\(directory)/\(name).\(stream)" : "" }
    self.stdin = path(stdin, "in")
    self.stdout = path(stdout, "out")
    self.stderr = path(stderr, "err")
    do throws(SystemError) {
      for path in [self.stdin, self.stdout, self.stderr] where !path.isEmpty { try Fifo.make(path, label: label) }
      ends = Mutex(try Self.open(self.stdin, self.stdout, self.stderr))
    } catch {
      Self.remove([self.stdin, self.stdout, self.stderr])
      throw error
    }
  }

  /// Of a session that did not come about.
  deinit { if ends.withLock({ $0 != nil }) { removeNames() } }

  private static func open(_ stdin: String, _ stdout: String, _ stderr: String) throws(SystemError) -> Ends {
    let both = try open(stdin) { path throws(SystemError) in try Fifo.both(path) }
    let writer = try open(stdin) { path throws(SystemError) in try Fifo.writer(path) }
    let output = try open(stdout) { path throws(SystemError) in try Fifo.reader(path) }
    let error = try open(stderr) { path throws(SystemError) in try Fifo.reader(path) }
    return Ends(streams: SessionStreams(stdin: writer, stdout: output, stderr: error), both: both)
  }

  private static func open(_ path: String, _ end: (String) throws(SystemError) -> FileHandle) throws(SystemError) -> FileHandle? {
    guard !path.isEmpty else { return nil }
    let handle = try end(path)
    handle.wishPipeSize(size)
    return handle
  }

  /// This side's ends, once, after the shim has opened the others.
  func handOver() -> SessionStreams {
    removeNames()
    return ends.withLock { ends in
      guard let taken = ends.take() else { return SessionStreams(stdin: nil, stdout: nil, stderr: nil) }
      return taken.streams
    }
  }

  private func removeNames() { Self.remove([stdin, stdout, stderr]) }
  private static func remove(_ paths: [String]) { for path in paths where !path.isEmpty { try? Files.remove(path) } }
}
