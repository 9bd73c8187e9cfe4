import ArgumentParser
import BerthAPI
import SwiftProtobuf

struct ListReferrers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "referrers",
    abstract: "List what a registry has about an image: signatures, attestations, bills of material.",
    discussion: """
      Asks the registry's referrers interface, and where it has none, the tag that stands in
      for it (sha256-…). The image need not be on this node.

      Examples:
        berth images referrers ghcr.io/org/app:1
        berth images referrers --type application/vnd.dev.cosign.artifact.sig.v1+json ghcr.io/org/app:1
      """)

  @OptionGroup var server: ServerOptions
  @Option(help: ArgumentHelp("Only artifacts of this type.", valueName: "media-type")) var type = ""
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var identity: CredentialOptions
  @Argument(help: "Image, by tag or digest.") var image: String

  func run() async throws {
    var request = Berth_V1_ListReferrersRequest.with { ($0.reference, $0.artifactType) = (image, type) }
    if let credentials = try await identity.credentials(for: image) { request.credentials = credentials }
    let asked = request
    let answer = try await server.withRuntime { try await $0.referrers(asked) }
    if json { return try Console.standard.print(json: answer) }
    Console.standard.print(ImageViews.referrers(answer).text)
    Console.standard.note("\(answer.referrers.count) refer to \(answer.reference), \(answer.digest)")
  }
}

struct ListNamespaces: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "namespaces", abstract: "List the namespaces that have images. Pods are made of those in k8s.io.", aliases: ["ns"])

  @OptionGroup var server: ServerOptions
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let answer = try await server.withRuntime { try await $0.namespaces() }
    if json { return try Console.standard.print(json: answer) }
    Console.standard.print(Table("NAMESPACE", "IMAGES", rows: answer.namespaces.map { [$0.name, "\($0.images)"] }).text)
  }
}
