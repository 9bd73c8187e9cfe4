import ArgumentParser
import BerthAPI
import CRIAPI
import Linux
import SwiftProtobuf

struct Attach: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a running container's output as it comes, and type into it.",
    discussion: """
      Ctrl-p ctrl-q leaves; the container goes on. Where the container ends, its
      exit code becomes berth's. Input is passed on where the container was
      made with a stdin. A reader that is too slow misses output: `berth logs`
      has all of it.

      Examples:
        berth attach web
        berth attach --tail 50 --no-stdin web
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var tls: TrustOptions
  @Option(help: ArgumentHelp("Begin with the last so many lines.", valueName: "lines")) var tail: UInt32 = 0
  @Flag(name: .customLong("no-stdin"), help: "Pass no input on.") var noInput = false
  @Option(help: ArgumentHelp("Leave with these instead; empty: with none.", valueName: "keys")) var detachKeys = DetachKeys.standard
  @Argument(help: "Name, ID, or the beginning of an ID.") var container: String

  func run() async throws {
    let (id, answer) = try await server.withRuntime { runtime in
      let id = try await runtime.findContainer(container).id
      let request = Berth_V1_AttachRequest.with { ($0.containerID, $0.stdin, $0.tail) = (id, !noInput, tail) }
      return (id, try await runtime.attach(request))
    }
    switch try await Session.run(answer.url, .attached(answer, keys: detachKeys), tls.trust) {
    case .detached: return
    case .failed(let message): throw Failure(message)
    case .outputClosed: throw ExitCode(Session.brokenPipeStatus)
    case .exited:
      let status = try await server.withRuntime { try await $0.ended(id) }
      if let code = status?.exitCode, code != 0 { throw ExitCode(code) }
    }
  }
}

extension RemoteSession.Plan {
  /// For what an attach was granted: keys go through as they are where both sides have a terminal.
  static func attached(_ answer: Berth_V1_AttachResponse, keys: DetachKeys = .standard, console: Console = .standard) -> Self {
    let input = Interactive.standardInput
    let isTerminal = answer.tty && RawTerminal.isTerminal(input)
    return RemoteSession.Plan(
      console: console, input: answer.stdin ? input : nil, terminal: isTerminal && answer.stdin ? input : nil, detachKeys: keys,
      canDetach: isTerminal)
  }
}

extension DetachKeys: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
  var defaultValueDescription: String { "ctrl-p,ctrl-q" }
}
