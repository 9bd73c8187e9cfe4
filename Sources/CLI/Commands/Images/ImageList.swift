import ArgumentParser
import CRIAPI

struct Images: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List, fetch, verify and remove images.",
    discussion: """
      Examples:
        berth images                       what is here
        berth images du                    what it takes on disk
        berth images verify --repair       compare files with what was pulled; fetch again what differs
        berth images tag busybox localhost/mine:1
        berth images prune --dry-run       what no container uses
      """,
    subcommands: [
      ImageList.self, Pull.self, Import.self, TagImage.self, RemoveImage.self, InspectImages.self, VerifyImages.self, PruneImages.self,
      DiskUsage.self,
    ],
    defaultSubcommand: ImageList.self)
}

struct ImageList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "ls", abstract: "List images.")

  @OptionGroup var server: ServerOptions
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

  @OptionGroup var server: ServerOptions
  @Argument(help: "Names or IDs.") var images: [String]

  func run() async throws {
    try await server.withRuntime { runtime in
      try await forEach(images) { reference in
        guard let image = try await runtime.image(reference) else { throw Failure("no image '\(reference)' on this node") }
        try await runtime.removeImage(image.id)
        Console.standard.print(reference)
      }
    }
  }
}
