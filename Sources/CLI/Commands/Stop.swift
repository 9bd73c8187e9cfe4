import ArgumentParser
import CRIAPI
import SwiftProtobuf

struct Stop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stop pods or containers.",
    discussion: "A pod's containers are stopped with it, and its network goes.")

  @OptionGroup var server: ServerOptions
  @Option(name: .shortAndLong, help: ArgumentHelp("Grace between the stop signal and SIGKILL.", valueName: "seconds"))
  var timeout: Int64 = 10
  @Argument(help: "Names, IDs, or beginnings of IDs.") var names: [String]

  func run() async throws {
    try await server.withRuntime { runtime in
      try await forEach(names) { name in
        try await runtime.stop(try await runtime.findAny(name), grace: timeout)
        Console.standard.print(name)
      }
    }
  }
}

struct Remove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm",
    abstract: "Remove pods or containers.",
    discussion: """
      Examples:
        berth rm web                stopped containers and pods
        berth rm -f web             running ones, too
        berth rm $(berth pods -q)
      """)

  @OptionGroup var server: ServerOptions
  @Flag(name: .shortAndLong, help: "Stop what runs, first.") var force = false
  @Argument(help: "Names, IDs, or beginnings of IDs.") var names: [String]

  func run() async throws {
    try await server.withRuntime { runtime in
      try await forEach(names) { name in
        let subject = try await runtime.findAny(name)
        if force { try await runtime.stop(subject, grace: 10) } else { try refuseRunning(subject) }
        try await runtime.remove(subject)
        Console.standard.print(name)
      }
    }
  }

  /// The CRI's removal kills what runs; a person must have said so.
  private func refuseRunning(_ subject: Subject) throws {
    let runs =
      switch subject {
      case .pod(let pod): pod.state == .sandboxReady
      case .container(let container): container.state == .containerRunning
      }
    if runs { throw Failure("\(subject.kind) \(subject.name) is running: stop it first, or use rm --force") }
  }
}

extension Runtime {
  /// A pod's containers get their grace one by one before the pod itself is stopped.
  func stop(_ subject: Subject, grace: Int64) async throws {
    guard case .pod(let pod) = subject else { return try await stopContainer(subject.id, grace: grace) }
    let running = try await containers(.with { ($0.podSandboxID, $0.state.state) = (pod.id, .containerRunning) }).containers
    for container in running { try await stopContainer(container.id, grace: grace) }
    try await stopPod(pod.id)
  }

  func remove(_ subject: Subject) async throws {
    switch subject {
    case .pod(let pod): try await removePod(pod.id)
    case .container(let container): try await removeContainer(container.id)
    }
  }
}
