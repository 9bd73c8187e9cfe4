import ArgumentParser
import Linux

/// `-i` and `-t`, and what follows from them.
struct Interactive: ParsableArguments, Sendable {
  @Flag(name: [.customShort("i"), .customLong("stdin")], help: "Pass our input on.") var input = false
  @Flag(name: [.customShort("t"), .customLong("tty")], help: "Give the command a terminal; ours hands all keys on.") var terminal = false

  static let standardInput: Int32 = 0

  func validate() throws {
    if input && terminal && !RawTerminal.isTerminal(Self.standardInput) {
      throw ValidationError("-t: our input is no terminal; leave -t out to pass on what comes")
    }
  }

  /// The terminal whose keys are handed on, if any.
  var ownTerminal: Int32? { input && terminal ? Self.standardInput : nil }
}

/// A session with this program's own input and output.
enum Session {
  /// Our terminal, where there is one, is as before when this returns.
  static func run(_ url: String, _ plan: RemoteSession.Plan, _ trust: StreamTrust) async throws -> RemoteEnd {
    if let terminal = plan.terminal { try RawTerminal.enter(terminal) }
    defer { RawTerminal.leave() }
    return try await StreamDialer.with(trust) { try await RemoteSession.run(url, plan, $0) }
  }

  /// What SIGPIPE does elsewhere.
  static let brokenPipeStatus: Int32 = 141
}
