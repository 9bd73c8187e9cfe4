import Linux
import Settings

/// Everything about the machine itself, as berthd's configuration wants it.
struct NodeChecks {
  var runtimes = RuntimeChecks()
  var network = NetworkChecks()
  var storage = StorageChecks()

  init() {}

  init(_ configuration: Configuration) {
    runtimes = RuntimeChecks(
      handlers: configuration.runtimes.handlers.filter { !$0.value.inheritsProgram && !$0.value.kind.isForeign }.mapValues(\.path),
      shims: configuration.runtimes.handlers.filter { $0.value.kind.isForeign }.mapValues { $0.path ?? $0.kind.program ?? "" },
      standard: configuration.runtimes.standard)
    network = NetworkChecks(configurations: configuration.cni.configurationDirectory, plugins: configuration.cni.binaryDirectories)
    storage = StorageChecks(data: configuration.root)
  }

  func findings(_ node: Node) async -> [Finding] {
    let privilege: [Finding] =
      node.isRoot ? [] : [.warning("user", "not root", "some checks see less than berthd will: run berth check as root")]
    let kernel = await BlockingWork.run { KernelChecks.findings(node) + CgroupChecks.findings(node) }
    return privilege + kernel + (await runtimes.findings(node)) + network.findings(node) + storage.findings(node)
  }
}
