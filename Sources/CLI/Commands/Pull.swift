import ArgumentParser
import BerthAPI
import SwiftProtobuf

struct Pull: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pull an image from its registry.",
    discussion: """
      Examples:
        berth pull nginx                   docker.io/library/nginx:latest
        berth pull ghcr.io/org/app@sha256:4b8f…
        berth pull --username me --password-stdin example.com/app:1 < token
        berth pull --authfile ~/.docker/config.json example.com/app:1
      """)

  @OptionGroup var server: ImageStoreOptions
  @Flag(name: .shortAndLong, help: "Print the image's ID only.") var quiet = false
  @Flag(help: "Print each event as a line of JSON.") var json = false
  @OptionGroup var identity: CredentialOptions
  @Argument(help: "Image, by tag or digest.") var image: String

  func run() async throws {
    var request = Berth_V1_PullRequest.with { $0.reference = image }
    if let credentials = try await identity.credentials(for: image) { request.credentials = credentials }
    let asked = request
    try await server.withRuntime { runtime in
      let id = try await PullDisplay.pull(asked, runtime, json ? .json : quiet ? .quiet : .people, .standard)
      if quiet, !json { Console.standard.print(id) }
    }
  }
}
