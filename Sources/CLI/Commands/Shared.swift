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
  func withRuntime<T>(_ body: (Runtime) async throws -> T) async throws -> T {
    try await Dial.withConnection(path) { try await body(Runtime(connection: $0)) }
  }
}

/// Tables for people, JSON for programs.
struct ListOptions: ParsableArguments {
  @Flag(help: "Print JSON, as the CRI has it.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print IDs only, in full.")
  var quiet = false
}
