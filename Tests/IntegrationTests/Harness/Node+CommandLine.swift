import Linux

/// The berth program with this node's berthd.
extension Node {
  func arguments(_ words: [String]) -> [String] { ["--address", socket] + words }

  /// Runs it to its end, without a terminal.
  func commandLine(_ words: String..., input: String = "") async throws -> (code: Int32, stdout: String, stderr: String) {
    try await commandLine(words, input: input)
  }

  func commandLine(_ words: [String], input: String = "") async throws -> (code: Int32, stdout: String, stderr: String) {
    let output = try await Command.run(
      try Programs.path("berth"), arguments(words), environment: ["PATH=/usr/bin:/bin"], input: Array(input.utf8), timeout: .seconds(60))
    let code: Int32 =
      switch output.ending {
      case .exited(let code): code
      case .signalled(let number): 128 + number
      case .timedOut: -1
      }
    return (code, String(decoding: output.stdout, as: UTF8.self), String(decoding: output.stderr, as: UTF8.self))
  }

  /// On a terminal of its own.
  func commandLineOnTerminal(_ words: String..., columns: UInt16 = 80, rows: UInt16 = 24) async throws -> TerminalProgram {
    try await TerminalProgram.start(try Programs.path("berth"), arguments(words), columns: columns, rows: rows)
  }
}
