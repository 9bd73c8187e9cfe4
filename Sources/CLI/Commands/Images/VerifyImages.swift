import ArgumentParser
import BerthAPI
import SwiftProtobuf

struct VerifyImages: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare images' files with what was pulled.",
    discussion: """
      Reads every file of every layer. Fails when one differs. With --repair, layers
      that differ are fetched again, and nothing else; containers that use one have to
      be stopped first.
      """)

  @OptionGroup var server: ImageStoreOptions
  @Flag(help: "Fetch again what differs.") var repair = false
  @Flag(help: "Print JSON, a line an image.") var json = false
  @Argument(help: "Names or IDs; all images without any.") var images: [String] = []

  func run() async throws {
    let request = Berth_V1_VerifyImagesRequest.with {
      $0.images = images
      $0.repair = repair
    }
    var damaged = 0
    try await server.withRuntime { runtime in
      try await runtime.verifyImages(request) { verdict in
        if !verdict.whole { damaged += 1 }
        if json { try Console.standard.print(json: verdict) } else { ImageViews.lines(verdict).forEach { Console.standard.print($0) } }
      }
    }
    if damaged > 0 {
      throw Failure("\(damaged) image\(damaged == 1 ? "" : "s") damaged" + (repair ? "" : "; --repair fetches again what differs"))
    }
  }
}
