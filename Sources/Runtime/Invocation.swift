import CLinux

/// The program's verbs; what goes wrong is a line in the log, as OCI runtimes write it.
enum Invocation {
  private static let usage: StaticString =
    "usage: berth-runtime [--root DIR] [--log FILE] create|start|exec|kill|delete|state|pause|resume|ps|update|features [options] ID"

  static func run() -> Int32 {
    shim_small_heap()
    // That a shim has gone is told by errno.
    clinux_ignore_broken_pipes()
    let words = (1..<max(shim_argc(), 1)).compactMap { shim_argv($0).map { Bytes(cString: $0) } }
    var log: Bytes?
    do throws(Failure) {
      let arguments = try Arguments(words)
      log = arguments.value("--log")
      try run(arguments)
      return 0
    } catch {
      report(error, log)
      return 1
    }
  }

  private static func run(_ arguments: Arguments) throws(Failure) {
    let verb = arguments.verb
    if verb.isEmpty && arguments.has("--version", "-v") { return say(Bytes(version)) }
    if verb.matches("create") { return try Create(arguments).run() }
    if verb.matches("exec") { return try Exec(arguments).run() }
    if verb.matches("start") { return try TaskCommands.start(arguments) }
    if verb.matches("kill") { return try TaskCommands.kill(arguments) }
    if verb.matches("delete") { return try TaskCommands.delete(arguments) }
    if verb.matches("state") { return say(try TaskCommands.state(arguments)) }
    if verb.matches("pause") { return try TaskCommands.call("Pause", arguments) }
    if verb.matches("resume") { return try TaskCommands.call("Resume", arguments) }
    if verb.matches("ps") { return say(try TaskCommands.processes(arguments)) }
    if verb.matches("update") { return try TaskCommands.update(arguments) }
    if verb.matches("features") { return say(Features.json) }
    throw Failure(.invalidArgument, usage)
  }

  static func say(_ text: Bytes) { _ = Files.writeAll(1, text + [10]) }

  /// Into the log where there is one, else to standard error.
  private static func report(_ failure: Failure, _ log: Bytes?) {
    let line = "{\"level\":\"error\",\"msg\":" + failure.message.jsonString + "}"
    let file = log.map { $0.withCString { clinux_openat(AT_FDCWD, $0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) } } ?? -1
    guard file >= 0 else { return note(failure.message) }
    _ = Files.writeAll(file, line + [10])
    close(file)
  }
}
