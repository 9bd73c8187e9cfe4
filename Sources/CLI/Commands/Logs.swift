import ArgumentParser
import CRIAPI
import Linux

struct Logs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a container's output.",
    discussion: """
      What the program wrote to its error output goes to ours. The files of past rotations are read, too, as long as
      they are there.

      Examples:
        berth logs web
        berth logs -f --tail 20 web
        berth logs --since 5m --timestamps web
      """)

  @OptionGroup var server: ServerOptions
  @Flag(name: .shortAndLong, help: "Go on until the container ends.") var follow = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Begin with the last so many lines.", valueName: "lines")) var tail: Int?
  @Option(help: ArgumentHelp("Only what is younger (90s, 5m, 2h, 1d) or later than an RFC 3339 time.", valueName: "time")) var since:
    String?
  @Option(help: ArgumentHelp("Only what is older than that, given the same way.", valueName: "time")) var until: String?
  @Flag(help: "Begin each line with its time.") var timestamps = false
  @Argument(help: "Name, ID, or the beginning of an ID.") var container: String

  func validate() throws {
    if let tail, tail < 0 { throw ValidationError("--tail \(tail): must not be negative") }
    for (option, text) in [("--since", since), ("--until", until)] {
      if let text, Self.time(text) == nil { throw ValidationError("\(option) \(text): neither a time span like 5m nor an RFC 3339 time") }
    }
  }

  func run() async throws {
    try await server.withRuntime { runtime in
      let container = try await runtime.findContainer(container)
      let path = try await runtime.containerStatus(container.id).status.logPath
      guard !path.isEmpty else { throw Failure("container \(container.metadata.name) keeps no log: it was created without a log path") }
      let printer = LogPrinter(
        console: .standard, since: since.flatMap(Self.time) ?? .min, until: until.flatMap(Self.time) ?? .max, timestamps: timestamps)
      if follow {
        _ = try await LogFollower(runtime: runtime, containerID: container.id, path: path, printer: printer).follow(tail: tail)
      } else {
        try show(path, printer)
      }
    }
  }

  private func show(_ path: String, _ printer: LogPrinter) throws {
    var file = try LogFile(path, tail: tail, since: printer.since)
    var printer = printer
    printer.complain(about: file.unreadable)
    while true {
      let lines = try file.next()
      if lines.isEmpty || printer.isPast(lines) { return printer.show(lines) }
      printer.show(lines)
    }
  }

  /// Nanoseconds since 1970; nil for what is no time.
  private static func time(_ text: String) -> Int64? {
    Timestamp.span(text).map { SystemClock.realtimeNanoseconds().subtractingReportingOverflow($0).partialValue } ?? Timestamp.parse(text)
  }
}
