import Core
import Linux
import Support
import Synchronization

/// A program on a terminal of its own, as a person has it before them: keys in, screen out, a size, and settings that can be looked at.
final class TerminalProgram: Sendable {
  private let terminal: PseudoTerminal
  let process: Pidfd
  private let seen = Mutex<[UInt8]>([])
  /// `stty -a` before the program began.
  let settings: String

  private init(_ terminal: consuming PseudoTerminal, _ process: Pidfd, settings: String) {
    self.terminal = terminal
    self.process = process
    self.settings = settings
  }

  static func start(_ path: String, _ arguments: [String], columns: UInt16 = 80, rows: UInt16 = 24) async throws -> TerminalProgram {
    let terminal = try PseudoTerminal.open()
    try terminal.resize(columns: columns, rows: rows)
    let settings = try await terminal.settings()
    let line = try terminal.line()
    // setsid makes it the session's controlling terminal: keys and sizes become signals.
    var spawn = Spawn("/usr/bin/setsid", ["--ctty", path] + arguments, descriptors: [line.raw, line.raw, line.raw])
    spawn.newSession = false
    spawn.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "SWIFT_BACKTRACE=enable=no"]
    let started = spawn
    let process = try await BlockingWork.run { try started.start() }
    return TerminalProgram(terminal, process, settings: settings)
  }

  /// Reaped where the test has not: who waits for any child, as exit tests do, would see it for ever.
  deinit {
    guard (try? process.signal(9)) != nil, process.ended(within: 5000) else { return }
    _ = try? process.reap()
  }

  func type(_ text: String) throws { try terminal.write(text) }
  func resize(columns: UInt16, rows: UInt16) throws { try terminal.resize(columns: columns, rows: rows) }
  func currentSettings() async throws -> String { try await terminal.settings() }

  /// Everything on the screen so far.
  func screen() -> String {
    seen.withLock { seen in
      seen += terminal.read()
      return String(decoding: seen, as: UTF8.self)
    }
  }

  func shows(_ text: String, within seconds: Int = 20) async throws {
    do { try await eventually("the screen shows \(text)", within: seconds) { screen().contains(text) ? true : nil } } catch {
      throw Fault(.deadlineExceeded, "the screen never showed '\(text)', but: \(screen())")
    }
  }

  func ended(within seconds: Int = 20) async throws -> ExitStatus {
    try await eventually("the program ends; its screen: \(screen())", within: seconds) {
      _ = screen()
      return try process.reap()
    }
  }
}

/// Both sides of a new terminal.
struct PseudoTerminal: ~Copyable, Sendable {
  private let master: FileHandle
  private let path: String

  static func open() throws -> PseudoTerminal {
    let master = try Terminal.open()
    let path = Terminal.path(of: master)
    return PseudoTerminal(master: master, path: path)
  }

  /// The side that a program gets.
  func line() throws(SystemError) -> FileHandle { try Terminal.line(path) }
  func resize(columns: UInt16, rows: UInt16) throws(SystemError) { try master.resizeTerminal(columns: columns, rows: rows) }
  func write(_ text: String) throws(SystemError) { try Files.write(Array(text.utf8), to: master.raw, path) }

  func settings() async throws -> String {
    let output = try await Command.run("/bin/stty", ["-F", path, "-a"], timeout: .seconds(10))
    // The size is not a setting.
    return String(decoding: output.stdout, as: UTF8.self).split(separator: ";").filter { !$0.contains("rows") && !$0.contains("columns") }
      .joined(separator: ";")
  }

  /// What is there now.
  func read() -> [UInt8] { Terminal.available(master) }
}
