import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Containers whose streams go over their shim's Streaming service (`io_type = "streaming"`). The shim is a program that knows nothing of Berth, with
/// containerd's own behind it; it refuses what comes unasked for.
@Suite(.serialized, .timeLimit(.minutes(5))) struct StreamedShimTests {
  private static let sockets = "/run/containerd/s"

  /// What fronts have there: sockets and FIFOs.
  private func belongings() -> Set<String> {
    Set(((try? Files.list(Self.sockets)) ?? []).filter { $0.hasSuffix(".streams") || $0.hasSuffix(".fifos") })
  }

  private func on(_ settings: String? = nil, _ body: (Node, String) async throws -> Void) async throws {
    let states = "/run/containerd/runc/" + Node.foreignNamespace
    let (before, had) = (Leftovers(LeftoverScope(netnsPrefix: "berth-", directories: [states])), belongings())
    let handler = try settings ?? Node.streamedSettings()
    try await Node.with(settings: "[runtimes]\ndefault = \"streamed\"\n[runtimes.streamed]\n" + handler) { node in
      try await node.importBusybox()
      try await body(node, try await node.run(try node.podConfig("streams")))
      for pod in try await node.pods() { try await node.remove(pod: pod.id) }
      #expect(try Files.list(node.state + "/runtime") == [])
    }
    let left = await before.differences()
    try? Files.removeDirectory(states)
    #expect(left == [], "\(left.joined(separator: "\n"))")
    try await eventually("the shims' fronts have gone") { belongings().subtracting(had).isEmpty ? true : nil }
  }

  /// An exec that is given `input`, to its end; what it prints.
  private func exec(_ container: String, _ script: String, _ input: String, _ node: Node) async throws -> String {
    let request = Runtime_V1_ExecRequest.with {
      ($0.containerID, $0.cmd, $0.stdin, $0.stdout) = (container, ["sh", "-c", script], true, true)
    }
    let url = try await node.runtime("Exec", request, returning: Runtime_V1_ExecResponse.self).url
    let client = try await CommandClient.start(url, ["stdin", "stdout"])
    var rest = Substring(input)
    while !rest.isEmpty {
      try await client.send(String(rest.prefix(60_000)))
      rest = rest.dropFirst(60_000)
    }
    try await client.send("", fin: true)
    #expect(try await client.finish().contains("Success"))
    return client.text("stdout")
  }

  private static let numbers = (1...300_000).map { "\($0)\n" }.joined()

  @Test func `what was sent before the shim hung up is not lost`() async throws {
    try await on(Node.streamedSettings(manner: "hasty")) { node, pod in
      let id = try await node.launch("main", ["sleep", "1000"], in: pod)
      for _ in 0..<4 { #expect(try await exec(id, "seq 1 300000", "", node) == Self.numbers) }
    }
  }

  @Test(arguments: ["", "eager"]) func `megabytes go both ways unchanged`(_ manner: String) async throws {
    try await on(Node.streamedSettings(manner: manner)) { node, pod in
      let id = try await node.launch("main", ["sh", "-c", "seq 1 300000; seq 1 20000 >&2; sleep 1000"], in: pod)
      #expect(try await exec(id, "seq 1 300000", "", node) == Self.numbers)
      #expect(try await exec(id, "cmp - /proc/self/fd/3 3<<E && echo same\n$(seq 1 300000)\nE\n", Self.numbers, node) == "same\n")
      let wanted = Self.numbers.utf8.count + (1...20_000).reduce(0) { $0 + "\($1)\n".utf8.count }
      try await eventually("all is logged") { try await node.log(id, of: pod).utf8.count >= wanted ? true : nil }
      let lines = try await node.log(id, of: pod).split(separator: "\n").map { String($0) }
      #expect(lines.count == 320_000 && Set(lines).count == 300_000)
    }
  }

  @Test func `streams go on over a restart of berthd, and stdin that is kept open`() async throws {
    try await on { node, pod in
      let script = "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo $i; sleep 0.05; done; read l; echo got $l; exit 4"
      let id = try await node.launch("main", ["sh", "-c", script], in: pod) { $0.stdin = true }
      try await eventually("it runs") { try await node.log(id, of: pod).contains("5\n") ? true : nil }
      try await node.kill()
      try await node.start()
      let request = Runtime_V1_AttachRequest.with { ($0.containerID, $0.stdin, $0.stdout) = (id, true, true) }
      let url = try await node.runtime("Attach", request, returning: Runtime_V1_AttachResponse.self).url
      let client = try await CommandClient.start(url, ["stdin", "stdout"])
      try await client.send("word\n")
      #expect(try await node.ended(id).exitCode == 4)
      #expect(try await node.log(id, of: pod) == (1...60).map { "\($0)\n" }.joined() + "got word\n")
      try await client.spdy.wire.close()
    }
  }

  @Test func `input ends with the shim's word for it, or without`() async throws {
    for manner in ["", "silent"] {
      try await on(Node.streamedSettings(manner: manner)) { node, pod in
        let id = try await node.launch("main", ["sleep", "1000"], in: pod)
        #expect(try await exec(id, "wc -c", "twelve bytes", node) == "12\n")
      }
    }
  }

  @Test(arguments: [("broken", "the guest's agent has lost it"), ("rubbish", "is no message"), ("huge", "larger than 4 MiB")])
  func `a stream that goes wrong is told of in the log, and costs nothing else`(_ manner: String, _ words: String) async throws {
    try await on(Node.streamedSettings(manner: manner)) { node, pod in
      let id = try await node.launch("main", ["sh", "-c", "echo lost; sleep 0.5; exit 3"], in: pod)
      #expect(try await node.ended(id).exitCode == 3)
      let log = try await node.log(id, of: pod)
      #expect(log.contains("berth-runtime: container \(id)") && log.contains(words) && log.contains("stdout"), "\(log)")
    }
  }

  @Test func `a shim without such a service, or a deaf one, fails the start`() async throws {
    let plain = try Node.streamedSettings(shim: "/usr/bin/containerd-shim-runc-v2")
    let bad = try Node.streamedSettings().replacing("IO_TYPE=streaming", with: "IO_TYPE=grpc")
    for (settings, words) in [
      (plain, ["Streaming/Stream", "stdout", "containerd.services.streaming.v1.Streaming"]),
      (try Node.streamedSettings(manner: "deaf"), ["Streaming/Stream", "no answer in time"]),
      (bad, ["BERTH_V2_IO_TYPE is neither fifo nor streaming: grpc"]),
    ] {
      try await on(settings) { node, pod in
        let id = try await node.create(node.containerConfig("main", ["true"]), in: pod)
        let error = await #expect(throws: GRPCStatus.self) { try await node.start(container: id) }
        for word in words { #expect(error?.message.contains(word) == true, "\(word) is not in: \(error?.message ?? "")") }
        #expect(try await node.status(container: id).reason == "StartError")
      }
    }
  }

  @Test func `a shim that is killed ends its containers and their streams`() async throws {
    try await on { node, pod in
      let id = try await node.launch("main", ["sh", "-c", "echo up; sleep 14143"], in: pod)
      try await eventually("it runs") { try await node.log(id, of: pod) == "up\n" ? true : nil }
      let front = ProcessTable.all().first { pid in
        ProcessTable.commandLine(pid).map { $0.contains("containerd-shim-streamed-v2") && $0.contains(node.state) } == true
      }
      try Pidfd.open(try #require(front)).signal(9)
      #expect(try await node.ended(id).exitCode == 255)
      #expect(try await node.log(id, of: pod).contains("the shim has closed the connection"))
      #expect(try await node.output("echo back", in: pod) == "back\n")
    }
  }
}
