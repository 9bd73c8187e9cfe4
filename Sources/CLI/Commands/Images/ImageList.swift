import ArgumentParser
import CRIAPI

struct Images: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List, fetch, send, verify and remove images.",
    discussion: """
      Examples:
        berth images                       what is here
        berth images du                    what it takes on disk
        berth images verify --repair       compare files with what was pulled; fetch again what differs
        berth images push localhost/mine:1 --to registry.example/mine:1
        berth images export busybox -o busybox.tar
        berth images tag busybox localhost/mine:1
        berth images prune --dry-run       what no container uses
        berth images referrers IMAGE       signatures and the like, in its registry
        berth images pull -n build IMAGE   for another namespace than the kubelet's
      """,
    subcommands: [
      ImageList.self, Pull.self, PushImage.self, Import.self, ExportImages.self, TagImage.self, RemoveImage.self, InspectImages.self,
      VerifyImages.self, PruneImages.self, DiskUsage.self, ListReferrers.self, ListNamespaces.self,
    ],
    defaultSubcommand: ImageList.self)
}

struct ImageList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "ls", abstract: "List images.")

  @OptionGroup var server: ImageStoreOptions
  @OptionGroup var list: ListOptions
  @Flag(help: "Show digests.") var digests = false
  @Argument(help: "Only the image of this name or ID.") var name: String = ""

  func run() async throws {
    let answer = try await server.withRuntime { try await $0.images(name) }
    let console = Console.standard
    if list.json { return try console.print(json: answer) }
    if list.quiet { return answer.images.forEach { console.print($0.id) } }
    console.print(Listings.images(answer.images, digests: digests).text)
  }
}

struct RemoveImage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rmi", abstract: "Remove images, with all their names.", aliases: ["rm"])

  @OptionGroup var server: ImageStoreOptions
  @Flag(help: "Print a line of JSON for each.") var json = false
  @Argument(help: "Names or IDs.") var images: [String]

  /// What `--json` prints.
  private struct Removed: Encodable {
    let name: String
    let id: String
    let references: [String]
  }

  func run() async throws {
    try await server.withRuntime { runtime in
      try await forEach(images) { reference in
        guard let image = try await runtime.image(reference) else { throw Failure("no image '\(reference)' on this node") }
        try await runtime.removeImage(image.id)
        if !json { return Console.standard.print(reference) }
        try Console.standard.print(object: Removed(name: reference, id: image.id, references: image.repoTags + image.repoDigests))
      }
    }
  }
}
