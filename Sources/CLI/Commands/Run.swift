import ArgumentParser
import Core
import Linux

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run an image as a pod with one container.",
    discussion: """
      Pulls the image if it is not here, follows the output, ends with the
      container's exit code, and removes the pod when the container has ended or
      on Ctrl-C. Words after the image replace its default command.

      Examples:
        berth run busybox -- echo hello
        berth run --port 8080:80 --name web nginx
        berth run --env MODE=fast --mount /srv/in:/in:ro example.com/job:1
        berth run --detach --name sleeper busybox sleep 3600
        berth run -it busybox -- sh      ctrl-p ctrl-q leaves it running
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var interactive: Interactive
  @OptionGroup var tls: TrustOptions
  @Option(help: "Name of the pod and its container.") var name: String?
  @Option(name: .shortAndLong, help: ArgumentHelp("Set a variable; KEY alone takes our value; may be repeated.", valueName: "key[=value]"))
  var env: [String] = []
  @Option(help: ArgumentHelp("Show a path of the node in the container; may be repeated.", valueName: "host:container[:ro]"))
  var mount: [MountArgument] = []
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Lead a port of the node into the pod; may be repeated.", valueName: "[ip:]host:container[/udp]"))
  var port: [PortArgument] = []
  @Flag(name: [.customLong("hostnetwork")], help: "Use the node's network.") var hostNetwork = false
  @Option(help: ArgumentHelp("Runtime handler, as a RuntimeClass names it.", valueName: "handler")) var runtime: String = ""
  @Flag(inversion: .prefixedNo, help: .hidden) var rm = true
  @Flag(help: "Leave the pod when its container has ended.") var keep = false
  @Flag(name: .shortAndLong, help: "Print the pod's ID and return; the pod stays.") var detach = false
  @Flag(name: .shortAndLong, help: "Show no progress of a pull.") var quiet = false
  @Argument(help: "Image to run.") var image: String
  @Argument(parsing: .captureForPassthrough, help: "Command and its arguments.") var command: [String] = []

  func validate() throws {
    if detach && interactive.input { throw ValidationError("--detach: nobody passes input on, so -i does not go with it") }
  }

  func run() async throws {
    let interruption = try Interruption.onSignals()
    let status = try await server.withRuntime { runtime in
      try await PodRun(
        runtime: runtime, plan: try plan(), console: .standard, interruption: interruption, quietPull: quiet, keep: keep || !rm,
        detach: detach, trust: tls.trust
      ).run()
    }
    if status != 0 { throw ExitCode(status) }
  }

  func plan() throws -> RunPlan {
    let uid = String(Identifier.random().prefix(12))
    return RunPlan(
      image: image, command: CommandWords(command).words, name: name ?? "run-\(uid)", uid: uid,
      environment: try env.compactMap(Self.variable), mounts: mount, ports: port, hostNetwork: hostNetwork, runtimeHandler: runtime,
      stdin: interactive.input, terminal: interactive.terminal)
  }

  /// `KEY` alone is taken from our own environment, and left out where it is not set.
  private static func variable(_ text: String) throws -> (name: String, value: String)? {
    guard text.contains("=") else { return Environment.value(text).map { (text, $0) } }
    let pair = try Pair.split(text, option: "--env")
    return (pair.key, pair.value)
  }
}
