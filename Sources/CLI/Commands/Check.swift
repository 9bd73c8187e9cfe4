import ArgumentParser
import CRIAPI
import Linux
import Settings

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell whether this node is fit to run pods, and what to do if not.",
    discussion: """
      ✓ is good, ! will be missed one day, ✗ keeps pods from running.
      Ends with status 1 if there is a ✗.
      """)

  @OptionGroup var server: ServerOptions
  @Option(help: ArgumentHelp("Configuration of the berthd that is to run here.", valueName: "file"), completion: .file())
  var config = Configuration.standardPath

  func run() async throws {
    var findings: [Finding] = []
    let configuration = loadConfiguration(&findings)
    findings += await NodeChecks(configuration).findings(Node())
    findings.append(await daemon())
    findings.forEach { Console.standard.print($0.line) }
    let unfit = findings.count { $0.verdict == .unfit }
    if unfit > 0 { throw Failure("this node is not fit: \(unfit) of \(findings.count) checks failed") }
  }

  /// The defaults, so that the rest can be checked, where the file is wrong.
  private func loadConfiguration(_ findings: inout [Finding]) -> Configuration {
    do { return try Configuration.load(config) } catch {
      findings.append(.unfit("config", "\(error)", "correct it: berthd refuses to start with it"))
      return Configuration()
    }
  }

  /// A node without a running berthd is fit to run one.
  private func daemon() async -> Finding {
    do {
      let version = try await server.withRuntime { try await $0.version() }
      return .good("berthd", "\(version.runtimeName) \(version.runtimeVersion) at \(server.path)")
    } catch {
      return .warning("berthd", "does not answer at \(server.path)", Failure(error).message)
    }
  }
}
