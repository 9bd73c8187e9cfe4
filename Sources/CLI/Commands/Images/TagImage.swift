import ArgumentParser
import BerthAPI
import SwiftProtobuf

struct TagImage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "tag", abstract: "Give an image another name.")

  @OptionGroup var server: ImageStoreOptions
  @Flag(help: "Print JSON.") var json = false
  @Argument(help: "Name or ID.") var image: String
  @Argument(help: "The new name, with a tag.") var name: String

  func run() async throws {
    let request = Berth_V1_TagImageRequest.with {
      $0.image = image
      $0.tag = name
    }
    let answer = try await server.withRuntime { try await $0.tagImage(request) }
    if json { return try Console.standard.print(json: answer) }
    Console.standard.print(answer.reference)
  }
}

struct InspectImages: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "inspect", abstract: "Print all that is known of images, as JSON.")

  @OptionGroup var server: ImageStoreOptions
  @Flag(help: "Print JSON, as it does anyway.") var json = false
  @Argument(help: "Names or IDs.") var images: [String]

  func run() async throws {
    try await server.withRuntime { runtime in
      try await forEach(images) { name in
        guard let status = try await runtime.imageStatus(name) else { throw Failure("no image '\(name)' on this node") }
        try Console.standard.print(json: status)
      }
    }
  }
}
