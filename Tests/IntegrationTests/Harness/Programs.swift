import Core
import Linux

/// The programs under test, where this build put them: beside the test bundle.
enum Programs {
  static func path(_ name: String) throws -> String {
    for argument in CommandLine.arguments.reversed() where argument.hasSuffix(".xctest") || argument.hasSuffix(".xctest/") {
      let candidate = Files.parent(of: argument) + "/" + name
      if Files.exists(candidate) { return candidate }
    }
    let source = "\(#filePath)".replacing("/Tests/IntegrationTests/Harness/Programs.swift", with: "")
    let candidate = source + "/.build/debug/" + name
    guard Files.exists(candidate) else { throw Fault(.notFound, "program \(name): not at \(candidate); build first") }
    return candidate
  }
}
