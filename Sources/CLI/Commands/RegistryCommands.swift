import ArgumentParser
import BerthAPI
import SwiftProtobuf

struct RegistryCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "registry", abstract: "Explain where images come from.", subcommands: [ExplainRegistry.self])
}

struct ExplainRegistry: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Which hosts would be asked for an image, in which order, as whom, and why.",
    discussion: """
      Reads what a pull reads: hosts.toml, the node's credentials, the proxies of berthd's
      environment.

      Examples:
        berth registry explain nginx
        berth registry explain --try ghcr.io/org/app:1     ask each host, too
      """)

  @OptionGroup var server: ServerOptions
  @Flag(name: .customLong("try"), help: "Ask each host for the manifest.") var isTrying = false
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var identity: CredentialOptions
  @Argument(help: "Image, by tag or digest.") var image: String

  func run() async throws {
    var request = Berth_V1_ExplainRegistryRequest.with {
      $0.reference = image
      $0.try = isTrying
    }
    if let credentials = try await identity.credentials(for: image) { request.credentials = credentials }
    let asked = request
    let answer = try await server.withRuntime { try await $0.explainRegistry(asked) }
    if json { return try Console.standard.print(json: answer) }
    ImageViews.lines(answer).forEach { Console.standard.print($0) }
  }
}
