import ArgumentParser

struct Inspect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print all that is known of a pod, container or image, as JSON.",
    discussion: """
      Examples:
        berth inspect web
        berth inspect --image docker.io/library/busybox
      """)

  @OptionGroup var server: ServerOptions
  @Flag(help: "The name is an image's.") var image = false
  @Argument(help: "Name, ID, or the beginning of an ID.") var name: String

  func run() async throws {
    try await server.withRuntime { runtime in
      if image { return try await inspectImage(runtime) }
      let subject = try await runtime.findAny(name)
      switch subject {
      case .pod: try Console.standard.print(json: try await runtime.podStatus(subject.id, verbose: true))
      case .container: try Console.standard.print(json: try await runtime.containerStatus(subject.id, verbose: true))
      }
    }
  }

  private func inspectImage(_ runtime: Runtime) async throws {
    guard let image = try await runtime.image(name) else { throw Failure("no image '\(name)' on this node") }
    try Console.standard.print(json: image)
  }
}
