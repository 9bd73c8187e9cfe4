import ArgumentParser
import CRIAPI
import Linux
import SwiftProtobuf

struct Exec: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a command in a container.",
    discussion: """
      Its exit code becomes berth's. It is killed when berth ends before it does.

      Examples:
        berth exec web -- cat /etc/hosts
        berth exec -it web -- sh
        berth exec -i db -- psql < dump.sql
        berth exec --timeout 5 web -- wget -qO- localhost
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var interactive: Interactive
  @OptionGroup var tls: TrustOptions
  @Option(help: ArgumentHelp("Kill the command after this long; 0: never.", valueName: "seconds"))
  var timeout: Int64 = 0
  @Argument(help: "Name, ID, or the beginning of an ID.") var container: String
  @Argument(parsing: .captureForPassthrough, help: "Command and its arguments.") var command: [String] = []

  func validate() throws {
    if CommandWords(command).words.isEmpty { throw ValidationError("a command is missing: berth exec \(container) -- COMMAND") }
    if timeout < 0 { throw ValidationError("--timeout \(timeout): must not be negative") }
  }

  func run() async throws {
    let (id, url) = try await server.withRuntime { runtime in
      let id = try await runtime.findContainer(container).id
      return (id, try await runtime.exec(request(id)))
    }
    let plan = RemoteSession.Plan(
      console: .standard, input: interactive.input ? Interactive.standardInput : nil, terminal: interactive.ownTerminal)
    let trust = tls.trust
    let end = try await Deadline.within(timeout) { try await Session.run(url, plan, trust) }
    switch end {
    case nil: throw Failure("container \(Short.id(id)): the command did not end within \(timeout) s and was killed", status: 124)
    case .exited(0)?, .detached?: return
    case .exited(let code)?: throw ExitCode(code)
    case .failed(let message)?: throw Failure(message)
    case .outputClosed?: throw ExitCode(Session.brokenPipeStatus)
    }
  }

  private func request(_ id: String) -> Runtime_V1_ExecRequest {
    .with {
      ($0.containerID, $0.cmd) = (id, CommandWords(command).words)
      ($0.stdin, $0.stdout, $0.stderr, $0.tty) = (interactive.input, true, !interactive.terminal, interactive.terminal)
    }
  }
}

/// What follows an image or container on the command line, with or without `--` before it.
struct CommandWords: Equatable {
  let words: [String]

  init(_ captured: [String]) { words = captured.first == "--" ? Array(captured.dropFirst()) : captured }
}
