import ArgumentParser
import BerthAPI
import Linux
import SwiftProtobuf

struct Pulls: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List pulls and imports under way.")

  @OptionGroup var server: ServerOptions
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let answer = try await server.withRuntime { try await $0.pulls() }
    if json { return try Console.standard.print(json: answer) }
    Console.standard.print(ImageViews.pulls(answer.pulls, now: SystemClock.realtimeNanoseconds()).text)
  }
}
