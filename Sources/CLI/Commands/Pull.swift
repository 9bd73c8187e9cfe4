import ArgumentParser
import BerthAPI
import Linux
import SwiftProtobuf

struct Pull: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pull an image from its registry.",
    discussion: """
      Examples:
        berth pull nginx                   docker.io/library/nginx:latest
        berth pull ghcr.io/org/app@sha256:4b8f…
        berth pull --username me --password-stdin example.com/app:1 < token
      """)

  @OptionGroup var server: ServerOptions
  @Flag(name: .shortAndLong, help: "Print the image's ID only.") var quiet = false
  @Option(help: "User at the image's registry.") var username: String = ""
  @Flag(help: "Read the password from standard input.") var passwordStdin = false
  @Argument(help: "Image, by tag or digest.") var image: String

  func validate() throws {
    if passwordStdin == username.isEmpty {
      throw ValidationError("--username and --password-stdin belong together")
    }
  }

  func run() async throws {
    let request = try Berth_V1_PullRequest.with {
      $0.reference = image
      $0.username = username
      $0.password = passwordStdin ? try readPassword() : ""
    }
    try await server.withRuntime { runtime in
      let id = try await PullDisplay.pull(request, runtime, quiet: quiet, .standard)
      if quiet { Console.standard.print(id) }
    }
  }

  private func readPassword() throws -> String {
    let bytes = try Files.read(0, "standard input", limit: 64 << 10)
    return String(decoding: bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1).first ?? [], as: UTF8.self)
  }
}
