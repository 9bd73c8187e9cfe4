import ArgumentParser
import CRIAPI

struct PortForward: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "port-forward",
    abstract: "Lead local ports into a pod's network.",
    discussion: """
      Reaches what listens on the pod's 127.0.0.1 or ::1, until Ctrl-C.

      Examples:
        berth port-forward web 8080:80
        berth port-forward web 5432 :9090
        berth port-forward --listen 0.0.0.0 web 8080:80
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var tls: TrustOptions
  @Option(help: ArgumentHelp("Address to listen on; may be repeated. Default: 127.0.0.1 and ::1.", valueName: "address"))
  var listen: [String] = []
  @Argument(help: "Name, ID, or the beginning of an ID.") var pod: String
  @Argument(help: ArgumentHelp("Local and pod's port; the local one may be left out.", valueName: "[local]:remote")) var ports: [PortPair]

  func run() async throws {
    let id = try await server.withRuntime { try await $0.findPod(pod).id }
    let server = server
    try await StreamDialer.with(tls.trust) { dialer in
      // berthd may be restarted in between: each connection asks anew.
      let forwarder = Forwarder(dialer: dialer, console: .standard) { port in
        try await server.withRuntime { try await $0.portForward(id, port: port) }
      }
      try await forwarder.serve(ports, on: listen.isEmpty ? ["127.0.0.1", "::1"] : listen)
    }
  }
}
