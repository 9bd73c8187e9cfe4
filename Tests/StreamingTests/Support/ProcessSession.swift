import CLinux
import Core
import Linux
import Synchronization

/// A session that is a local process with pipes or a terminal, as the real one is a process in a container.
final class ProcessSession: StreamSession {
  private struct Ends {
    var stdin: Int32 = -1
    var stdout: Int32 = -1
    var stderr: Int32 = -1
  }
  private let ends: Mutex<Ends>
  private let terminal: Int32
  private let process: Pidfd
  private let ending: Task<ExitRecord, any Error>
  /// Sizes that were told, and how often `end` was called.
  let sizes = Mutex<[[UInt16]]>([])
  let endings = Mutex(0)

  private init(_ ends: Ends, terminal: Int32, _ process: Pidfd) {
    self.ends = Mutex(ends)
    self.terminal = terminal
    self.process = process
    ending = Task {
      await process.ended()
      let code: Int32 =
        switch try process.reap() {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        case nil: 255
        }
      return ExitRecord(exitCode: code, finishedAt: 0)
    }
  }

  var pid: Int32 { process.pid }

  static func start(_ script: String, _ streams: CommandStreams) async throws -> ProcessSession {
    try await BlockingWork.run { streams.terminal ? try onTerminal(script) : try onPipes(script, streams) }
  }

  private static func onPipes(_ script: String, _ streams: CommandStreams) throws -> ProcessSession {
    let (stdin, stdout, stderr) = (try pipe(), try pipe(), try pipe())
    let process = try spawn(script, [stdin.reading, stdout.writing, stderr.writing])
    for end in [stdin.reading, stdout.writing, stderr.writing] { _ = close(end) }
    var ends = Ends(stdin: stdin.writing, stdout: stdout.reading, stderr: stderr.reading)
    if !streams.stdin { drop(&ends.stdin) }
    if !streams.stdout { drop(&ends.stdout) }
    if !streams.stderr { drop(&ends.stderr) }
    return ProcessSession(ends, terminal: -1, process)
  }

  private static func onTerminal(_ script: String) throws -> ProcessSession {
    let master = try check("posix_openpt") { posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) }
    try check("grantpt") { grantpt(master) }
    try check("unlockpt") { unlockpt(master) }
    let name = String(cString: ptsname(master))
    let slave = try FileHandle.open(name, O_RDWR | O_NOCTTY)
    let process = try spawn(script, [slave.raw, slave.raw, slave.raw])
    let ends = Ends(stdin: clinux_fcntl_int(master, F_DUPFD_CLOEXEC, 0), stdout: clinux_fcntl_int(master, F_DUPFD_CLOEXEC, 0))
    return ProcessSession(ends, terminal: master, process)
  }

  private static func spawn(_ script: String, _ descriptors: [Int32]) throws(SystemError) -> Pidfd {
    var spawn = Spawn("/bin/bash", ["-c", script], descriptors: descriptors)
    spawn.environment = ["PATH=/usr/bin:/bin"]
    return try spawn.start()
  }

  private static func drop(_ descriptor: inout Int32) {
    _ = close(descriptor)
    descriptor = -1
  }

  private static func pipe() throws(SystemError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    try check("pipe2") { pipe2(&ends, O_CLOEXEC) }
    return (ends[0], ends[1])
  }

  func takeStreams() -> SessionStreams {
    let ends = ends.withLock { ends in
      defer { ends = Ends() }
      return ends
    }
    return SessionStreams(stdin: Self.owned(ends.stdin), stdout: Self.owned(ends.stdout), stderr: Self.owned(ends.stderr))
  }

  private static func owned(_ descriptor: Int32) -> FileHandle? {
    if descriptor < 0 { return nil }
    return FileHandle(owning: descriptor)
  }

  /// Slow, as a shim on a busy node may be.
  func resize(columns: UInt16, rows: UInt16) async throws {
    try await Task.sleep(for: .milliseconds(30))
    if terminal >= 0 { try check("TIOCSWINSZ") { shim_resize_terminal(terminal, columns, rows) } }
    sizes.withLock { $0.append([columns, rows]) }
  }

  func exit() async throws -> ExitRecord { try await ending.value }

  /// Kills the process; what it started goes on, as a detached child does.
  func end() async {
    endings.withLock { $0 += 1 }
    try? process.signal(SIGKILL)
    _ = try? await ending.value
    _ = takeStreams()
  }

  deinit { if terminal >= 0 { _ = close(terminal) } }
}
