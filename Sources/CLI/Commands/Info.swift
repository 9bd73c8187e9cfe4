import ArgumentParser
import CRIAPI
import Core

struct Version: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print the versions of berth and of berthd.")

  @OptionGroup var server: ServerOptions

  func run() async throws {
    Console.standard.print("berth    \(Release.version)")
    let answer = try await server.withRuntime { try await $0.version() }
    Console.standard.print("\(answer.runtimeName)   \(answer.runtimeVersion)   (CRI \(answer.runtimeApiVersion))")
  }
}

struct Info: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print berthd's status, runtimes and disk use.")

  @OptionGroup var server: ServerOptions
  @Flag(help: "Print JSON, as the CRI has it.") var json = false

  func run() async throws {
    try await server.withRuntime { runtime in
      let status = try await runtime.status(verbose: true)
      if json { return try Console.standard.print(json: status) }
      let lines = InfoView(
        version: try await runtime.version(), status: status, filesystems: try await runtime.imageFilesystems(), address: server.path
      ).lines
      lines.forEach { Console.standard.print($0) }
    }
  }
}

/// The status page of `berth info`.
struct InfoView {
  let version: Runtime_V1_VersionResponse
  let status: Runtime_V1_StatusResponse
  let filesystems: Runtime_V1_ImageFsInfoResponse
  let address: String

  var lines: [String] {
    ["\(version.runtimeName) \(version.runtimeVersion) on \(address)"]
      + status.status.conditions.map(condition)
      + status.runtimeHandlers.map(handler)
      + filesystems.imageFilesystems.map { usage("images", $0) }
      + filesystems.containerFilesystems.map { usage("containers", $0) }
  }

  private func condition(_ condition: Runtime_V1_RuntimeCondition) -> String {
    let why = condition.status ? "" : ": " + [condition.reason, condition.message].filter { !$0.isEmpty }.joined(separator: ": ")
    return "\(condition.status ? "✓" : "✗") \(condition.type)\(why)"
  }

  private func handler(_ handler: Runtime_V1_RuntimeHandler) -> String {
    var features: [String] = []
    if handler.features.recursiveReadOnlyMounts { features.append("recursive read-only mounts") }
    if handler.features.userNamespaces { features.append("user namespaces") }
    return "runtime  \(handler.name.isEmpty ? "(default)" : handler.name)"
      + (features.isEmpty ? "" : "  " + features.joined(separator: ", "))
  }

  private func usage(_ what: String, _ usage: Runtime_V1_FilesystemUsage) -> String {
    "\(what)  \(usage.fsID.mountpoint)  \(Short.size(usage.usedBytes.value))  \(usage.inodesUsed.value) inodes"
  }
}
