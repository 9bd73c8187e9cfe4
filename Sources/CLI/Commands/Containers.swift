import ArgumentParser
import CRIAPI
import Linux
import SwiftProtobuf

struct Containers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ps",
    abstract: "List containers.",
    discussion: """
      Examples:
        berth ps                        what runs now
        berth ps -a                     ended ones, too
        berth ps --pod web --json
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var list: ListOptions
  @Flag(name: .shortAndLong, help: "Also those that do not run.") var all = false
  @Option(help: "Only containers of this pod.") var pod: String?
  @Option(help: ArgumentHelp("Only containers with this label; may be repeated.", valueName: "key=value")) var label: [String] = []

  func run() async throws {
    let (answer, pods) = try await server.withRuntime { runtime in
      let pods = try await runtime.pods().items
      return (try await runtime.containers(try filter(pods)), pods)
    }
    try show(answer, pods, Console.standard)
  }

  private func filter(_ pods: [Runtime_V1_PodSandbox]) throws -> Runtime_V1_ContainerFilter {
    try .with {
      if !all { $0.state.state = .containerRunning }
      if let pod { $0.podSandboxID = try Lookup(subjects: pods.map(Subject.pod)).find(pod, what: "pod").id }
      $0.labelSelector = try Pair.dictionary(label, option: "--label")
    }
  }

  private func show(_ answer: Runtime_V1_ListContainersResponse, _ pods: [Runtime_V1_PodSandbox], _ console: Console) throws {
    if list.json { return try console.print(json: answer) }
    if list.quiet { return answer.containers.forEach { console.print($0.id) } }
    let names = Dictionary(pods.map { ($0.id, $0.metadata.name) }, uniquingKeysWith: { first, _ in first })
    console.print(Listings.containers(answer.containers, pods: names, now: SystemClock.realtimeNanoseconds()).text)
  }
}
