import ArgumentParser
import CRIAPI

struct Exec: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a command in a container and print its output.",
    discussion: """
      Its exit code becomes berth's. Input is not passed on.

      Examples:
        berth exec web -- cat /etc/hosts
        berth exec --timeout 5 web -- wget -qO- localhost
      """)

  @OptionGroup var server: ServerOptions
  @Option(name: .shortAndLong, help: ArgumentHelp("Kill the command after this long; 0: never.", valueName: "seconds"))
  var timeout: Int64 = 0
  @Argument(help: "Name, ID, or the beginning of an ID.") var container: String
  @Argument(parsing: .captureForPassthrough, help: "Command and its arguments.") var command: [String] = []

  func validate() throws {
    if CommandWords(command).words.isEmpty { throw ValidationError("a command is missing: berth exec \(container) -- COMMAND") }
  }

  func run() async throws {
    let answer = try await server.withRuntime { runtime in
      let container = try await runtime.findContainer(container)
      return try await runtime.execSync(container.id, CommandWords(command).words, timeout: timeout)
    }
    let console = Console.standard
    console.write(Array(answer.stdout), to: console.out)
    console.write(Array(answer.stderr), to: console.errors)
    if answer.exitCode != 0 { throw ExitCode(answer.exitCode) }
  }
}

/// What follows an image or container on the command line, with or without `--` before it.
struct CommandWords: Equatable {
  let words: [String]

  init(_ captured: [String]) { words = captured.first == "--" ? Array(captured.dropFirst()) : captured }
}
