import ArgumentParser
import BerthAPI
import SwiftProtobuf

struct PushImage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push",
    abstract: "Send an image to a registry.",
    discussion: """
      What the registry has already is not sent. Layers that were not kept on this node
      (images.keep_layer_blobs) are fetched again from where the image came from.

      Examples:
        berth images push registry.example/app:1
        berth images push app:1 --to registry.example/app:1 --username me --password-stdin < token
        berth images push nginx --to registry.example/nginx:1 --all-platforms
      """)

  @OptionGroup var server: ImageStoreOptions
  @Option(help: ArgumentHelp("Name to push it under, instead of its own.", valueName: "name")) var to: String = ""
  @Option(help: ArgumentHelp("Send this platform's manifest instead of this node's.", valueName: "os/arch")) var platform: String = ""
  @Flag(help: "Send the index with the manifests of all platforms.") var allPlatforms = false
  @Flag(name: .shortAndLong, help: "Print the digest only.") var quiet = false
  @Flag(help: "Print each event as a line of JSON.") var json = false
  @OptionGroup var identity: CredentialOptions
  @Argument(help: "Name or ID.") var image: String

  func run() async throws {
    var request = Berth_V1_PushRequest.with {
      $0.image = image
      $0.to = to
      $0.platform = platform
      $0.allPlatforms = allPlatforms
    }
    if let credentials = try await identity.credentials(for: to.isEmpty ? image : to) { request.credentials = credentials }
    let asked = request
    try await server.withRuntime { runtime in
      let pushed = try await PushDisplay.push(asked, runtime, json ? .json : quiet ? .quiet : .people, .standard)
      if !json { Console.standard.print(quiet ? pushed.digest : "\(pushed.reference)@\(pushed.digest)") }
    }
  }
}
