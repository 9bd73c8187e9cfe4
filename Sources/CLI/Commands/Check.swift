import ArgumentParser
import CRIAPI
import Linux

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell whether this node is fit to run pods, and what to do if not.",
    discussion: """
      ✓ is good, ! will be missed one day, ✗ keeps pods from running.
      Ends with status 1 if there is a ✗.
      """)

  @OptionGroup var server: ServerOptions
  @Option(help: ArgumentHelp("Where berthd keeps images.", valueName: "directory")) var root = StorageChecks().data
  @Option(help: ArgumentHelp("Where CNI configurations are.", valueName: "directory")) var cniConf = NetworkChecks().configurations
  @Option(help: ArgumentHelp("Where CNI plugins are; may be repeated.", valueName: "directory")) var cniBin = NetworkChecks().plugins

  func run() async throws {
    let findings = await Self.findings(Node(), NetworkChecks(configurations: cniConf, plugins: cniBin), StorageChecks(data: root))
    let all = findings + [await daemon()]
    all.forEach { Console.standard.print($0.line) }
    let unfit = all.count { $0.verdict == .unfit }
    if unfit > 0 { throw Failure("this node is not fit: \(unfit) of \(all.count) checks failed") }
  }

  static func findings(_ node: Node, _ network: NetworkChecks, _ storage: StorageChecks) async -> [Finding] {
    let privilege: [Finding] =
      node.isRoot ? [] : [.warning("user", "not root", "some checks see less than berthd will: run berth check as root")]
    let kernel = await BlockingWork.run { KernelChecks.findings(node) + CgroupChecks.findings(node) }
    return privilege + kernel + (await RuntimeChecks.findings(node)) + network.findings(node) + storage.findings(node)
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
