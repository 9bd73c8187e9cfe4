import ArgumentParser
import Linux
import Settings

/// How to reach berthd: for every command that talks to it.
struct ServerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("berthd's socket. Also from BERTH_ADDRESS, or berthd's configuration.", valueName: "path"))
  var address: String?

  /// A path; `unix://` before it, as other CRI tools want it, is understood. A configuration that cannot be read is what
  /// `berth check` reports, and no reason not to try the standard socket.
  var path: String {
    let configured = (try? Configuration.load()) ?? Configuration()
    let text = address ?? Environment.value("BERTH_ADDRESS") ?? configured.grpc.address
    return text.hasPrefix("unix://") ? String(text.dropFirst("unix://".count)) : text
  }

  /// Connects for as long as `body` runs.
  /// - Parameter namespace: of images; the CRI's without one.
  func withRuntime<T>(namespace: String? = nil, _ body: (Runtime) async throws -> T) async throws -> T {
    try await Dial.withConnection(path, namespace: namespace) { try await body(Runtime(connection: $0)) }
  }
}

/// Of commands about the images of one namespace.
struct ImageStoreOptions: ParsableArguments {
  @OptionGroup var server: ServerOptions
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Namespace of the images. Also from BERTH_NAMESPACE; the kubelet's is k8s.io, the default.", valueName: "name"))
  var namespace: String?

  func withRuntime<T>(_ body: (Runtime) async throws -> T) async throws -> T {
    try await server.withRuntime(namespace: namespace ?? Environment.value("BERTH_NAMESPACE"), body)
  }
}

/// Tables for people, JSON for programs.
struct ListOptions: ParsableArguments {
  @Flag(help: "Print JSON, as the CRI has it.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print IDs only, in full.")
  var quiet = false
}
