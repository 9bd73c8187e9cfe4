import ArgumentParser
import CRIAPI
import Linux
import SwiftProtobuf

struct Pods: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List pods.",
    discussion: """
      Examples:
        berth pods                      all pods, newest first
        berth pods --ready -q           IDs of those that are up
        berth pods --namespace default
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var list: ListOptions
  @Flag(help: "Only pods that are up.") var ready = false
  @Option(help: "Only pods of this namespace.") var namespace: String?
  @Option(help: ArgumentHelp("Only pods with this label; may be repeated.", valueName: "key=value")) var label: [String] = []

  func run() async throws {
    let filter = try Runtime_V1_PodSandboxFilter.with {
      if ready { $0.state.state = .sandboxReady }
      $0.labelSelector = try Pair.dictionary(label, option: "--label")
    }
    var answer = try await server.withRuntime { try await $0.pods(filter) }
    if let namespace { answer.items.removeAll { $0.metadata.namespace != namespace } }
    try show(answer, Console.standard)
  }

  private func show(_ answer: Runtime_V1_ListPodSandboxResponse, _ console: Console) throws {
    if list.json { return try console.print(json: answer) }
    if list.quiet { return answer.items.forEach { console.print($0.id) } }
    console.print(Listings.pods(answer.items, now: SystemClock.realtimeNanoseconds()).text)
  }
}
