import ArgumentParser
import BerthAPI
import Linux
import SwiftProtobuf

struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Import images from a file or directory of this node.",
    discussion: """
      Takes a docker archive (docker save), an OCI archive, or the directory of an
      OCI layout. berthd opens the path itself.

      Examples:
        berth import busybox.tar
        berth import --name example.com/app:1 ./oci-layout
      """)

  @OptionGroup var server: ImageStoreOptions
  @Option(help: "Name for an image that the archive gives none.") var name: String = ""
  @Flag(help: "Print each event as a line of JSON.") var json = false
  @Argument(help: "Archive or directory.", completion: .file()) var path: String

  func run() async throws {
    let request = try Berth_V1_ImportRequest.with {
      $0.path = try absolute(path)
      $0.name = name
    }
    try await server.withRuntime { runtime in
      var display = ImportDisplay(console: .standard, json: json)
      try await runtime.importArchive(request) { try display.show($0) }
      display.finish()
    }
  }

  private func absolute(_ path: String) throws -> String {
    if path.hasPrefix("/") { return path }
    guard let directory = Environment.currentDirectory else { throw Failure("import \(path): the current directory is gone") }
    return directory + "/" + path
  }
}
