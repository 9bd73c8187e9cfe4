import ArgumentParser
import BerthAPI
import SwiftProtobuf

struct PruneImages: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "Remove images that no container uses; pinned ones stay.")

  @OptionGroup var server: ImageStoreOptions
  @Flag(name: .shortAndLong, help: "Only show what would go.") var dryRun = false
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let answer = try await server.withRuntime { [dryRun] in try await $0.pruneImages(.with { $0.dryRun = dryRun }) }
    if json { return try Console.standard.print(json: answer) }
    for image in answer.images { Console.standard.print(ImageViews.names(image.references, image.id) + "  " + Short.size(image.bytes)) }
    let total = Short.size(answer.images.reduce(0) { $0 + $1.bytes })
    Console.standard.note("\(answer.images.count) images, \(total) \(dryRun ? "would go" : "freed")")
  }
}

struct DiskUsage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "du", abstract: "Show what images take on disk, and what of it they share.")

  @OptionGroup var server: ImageStoreOptions
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let answer = try await server.withRuntime { try await $0.diskUsage() }
    if json { return try Console.standard.print(json: answer) }
    Console.standard.print(ImageViews.usage(answer).text)
    Console.standard.note(
      "layers \(Short.size(answer.layerBytes)) in \(answer.layerInodes) files, documents \(Short.size(answer.contentBytes)), "
        + "containers \(Short.size(answer.snapshotBytes))")
  }
}
