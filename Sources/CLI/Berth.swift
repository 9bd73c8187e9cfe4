import ArgumentParser
import Core

/// The root of the command line; what a subcommand does stands in its own file under `Commands`.
struct Berth: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "berth",
    abstract: "Run, inspect and diagnose pods and containers of this node's Berth.",
    discussion: """
      Examples:
        berth run busybox -- echo hello    run a command as a pod, and clean up
        berth pods                         what runs here
        berth logs -f web                  follow a container's output
        berth check                        is this node fit to run pods?

      Pods and containers are named by name, by ID, or by the beginning of an ID.
      """,
    version: "berth \(Release.version)",
    groupedSubcommands: [
      CommandGroup(name: "Run", subcommands: [Run.self, Exec.self, Attach.self, Logs.self, PortForward.self, Stop.self, Remove.self]),
      CommandGroup(name: "List", subcommands: [Pods.self, Containers.self, Inspect.self]),
      CommandGroup(
        name: "Images", subcommands: [Images.self, Pull.self, Pulls.self, Import.self, RemoveImage.self, RegistryCommands.self]),
      CommandGroup(name: "Node", subcommands: [Check.self, Info.self, Events.self, Version.self, Completion.self]),
    ])
}
