import CRIAPI
import Core
import GRPC
import Linux
import NIOCore
import Support
import SwiftProtobuf
import Testing

@testable import Streaming

/// Exec, Attach and PortForward over a real berthd, as a kubelet and its users do them.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SessionTests {
  @Test func `exec runs a command with its streams and tells its exit code`() async throws {
    try await Node.with { node in
      let (_, container) = try await sleeper(node)
      let url = try await exec(node, container, ["/bin/sh", "-c", "cat; echo err >&2; exit 7"]) { $0.stdin = true }
      let client = try await CommandClient.start(url, ["stdin", "stdout", "stderr"])
      try await client.send("hello", fin: true)
      let status = try await client.finish()
      #expect(status.contains("\"message\":\"7\",\"reason\":\"ExitCode\""), "\(status)")
      #expect(client.text("stdout") == "hello" && client.text("stderr") == "err\n")
    }
  }

  @Test func `a terminal is one, and a background child does not hold the session`() async throws {
    try await Node.with { node in
      let (_, container) = try await sleeper(node)
      let url = try await exec(node, container, ["/bin/sh", "-c", "tty; sleep 100 & echo done"]) {
        $0.tty = true
        $0.stdin = true
        $0.stderr = false
      }
      let client = try await CommandClient.start(url, ["stdin", "stdout", "resize"])
      try await client.send("{\"Width\":100,\"Height\":40}\n", to: "resize")
      #expect(try await client.finish().contains("Success"))
      #expect(client.text("stdout").hasPrefix("/dev/pts/") && client.text("stdout").hasSuffix("done\r\n"), "\(client.text("stdout"))")
    }
  }

  @Test func `a command that is not there tells the runtime's words, and who goes away ends theirs`() async throws {
    try await Node.with { node in
      let (_, container) = try await sleeper(node)
      let nothing = try await CommandClient.start(try await exec(node, container, ["/no/such"]), ["stdout", "stderr"])
      let status = try await nothing.finish()
      #expect(status.contains("/no/such") && status.contains("InternalError"), "\(status)")
      let gone = try await CommandClient.start(try await exec(node, container, ["/bin/sleep", "4321"]), ["stdout", "stderr"])
      try await eventually("the command runs") { try await shows(node, container, "4321") ? true : nil }
      try await gone.spdy.wire.close()
      try await eventually("the command is killed") { try await shows(node, container, "4321") ? nil : true }
    }
  }

  @Test func `attach sees and feeds a running container, and leaves it running`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("attach"))
      let container = try await node.launch("main", ["/bin/sh", "-c", "while read line; do echo \"got $line\"; done"], in: pod) {
        $0.stdin = true
      }
      for word in ["one", "two"] {
        let client = try await CommandClient.start(try await attach(node, container), ["stdin", "stdout", "stderr"])
        try await client.send(word + "\n")
        try await client.spdy.receive { client.text("stdout").contains("got \(word)\n") }
        try await client.spdy.wire.close()
      }
      #expect(try await node.status(container: container).state == .containerRunning)
      let log = try await node.log(container, of: pod)
      #expect(log == "got one\ngot two\n")
    }
  }

  @Test(arguments: [Runtime_V1_NamespaceMode.pod, .node])
  func `port-forward reaches a server in the pod's network, or in the host's`(network: Runtime_V1_NamespaceMode) async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let config = try node.podConfig("forward") { $0.linux.securityContext.namespaceOptions.network = network }
      let pod = try await node.run(config)
      _ = try await node.launch("web", ["/bin/sh", "-c", "echo page > /tmp/index.html; httpd -f -p 127.0.0.1:8080 -h /tmp"], in: pod)
      let request = Runtime_V1_PortForwardRequest.with { $0.podSandboxID = pod }
      let url = try await node.runtime("PortForward", request, returning: Runtime_V1_PortForwardResponse.self).url
      let spdy = try await SPDYClient.connect(url, versions: ["portforward.k8s.io"])
      var requests = 0
      try await eventually("the page") {
        requests += 1
        let headers = { (type: String) -> KeyValuePairs<String, String> in ["streamtype": type, "port": "8080", "requestid": "\(requests)"]
        }
        let error = try await spdy.open(headers("error"))
        let data = try await spdy.open(headers("data"))
        try await spdy.send(data, "GET /index.html HTTP/1.0\r\n\r\n", fin: true)
        try await spdy.receive { spdy.ended.contains(error) && (spdy.ended.contains(data) || spdy.resets[data] != nil) }
        return spdy.text(data).hasSuffix("page\n") ? true : nil
      }
      try await spdy.wire.close()
    }
  }

  @Test func `what cannot be is refused with the field that is wrong`() async throws {
    try await Node.with { node in
      let (pod, container) = try await sleeper(node)
      let cases: [(GRPCStatus.Code, String, (inout Runtime_V1_ExecRequest) -> Void)] = [
        (.invalidArgument, "cmd", { $0.cmd = [] }), (.invalidArgument, "stderr", { $0.tty = true }),
        (.invalidArgument, "stdin", { ($0.stdout, $0.stderr) = (false, false) }), (.notFound, "0123", { $0.containerID = "0123456789ab" }),
      ]
      for (code, word, change) in cases {
        let error = await #expect(throws: GRPCStatus.self) { _ = try await exec(node, container, ["true"], change) }
        #expect(error?.code == code && error?.message.contains(word) == true, "\(error.map { "\($0)" } ?? "")")
      }
      let ended = try await node.launch("ended", ["/bin/true"], in: pod)
      _ = try await node.ended(ended)
      let error = await #expect(throws: GRPCStatus.self) { _ = try await exec(node, ended, ["true"]) }
      #expect(error?.code == .failedPrecondition)
      let terminal = Runtime_V1_AttachRequest.with { ($0.containerID, $0.tty, $0.stdout) = (container, true, true) }
      let refused = await #expect(throws: GRPCStatus.self) {
        _ = try await node.runtime("Attach", terminal, returning: Runtime_V1_AttachResponse.self)
      }
      #expect(refused?.code == .invalidArgument && refused?.message.contains("tty") == true)
    }
  }

  private func sleeper(_ node: Node) async throws -> (pod: String, container: String) {
    try await node.importBusybox()
    let pod = try await node.run(try node.podConfig("stream"))
    return (pod, try await node.launch("main", ["/bin/sleep", "1000"], in: pod))
  }

  private func exec(
    _ node: Node, _ container: String, _ command: [String], _ change: (inout Runtime_V1_ExecRequest) -> Void = { _ in }
  ) async throws -> String {
    var request = Runtime_V1_ExecRequest.with { ($0.containerID, $0.cmd, $0.stdout, $0.stderr) = (container, command, true, true) }
    change(&request)
    return try await node.runtime("Exec", request, returning: Runtime_V1_ExecResponse.self).url
  }

  private func attach(_ node: Node, _ container: String) async throws -> String {
    let request = Runtime_V1_AttachRequest.with {
      ($0.containerID, $0.stdin, $0.stdout, $0.stderr) = (container, true, true, true)
    }
    return try await node.runtime("Attach", request, returning: Runtime_V1_AttachResponse.self).url
  }

  private func shows(_ node: Node, _ container: String, _ word: String) async throws -> Bool {
    String(decoding: try await node.exec(container, ["/bin/ps"]).stdout, as: UTF8.self).contains(word)
  }
}
