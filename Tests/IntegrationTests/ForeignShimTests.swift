import CRIAPI
import Core
import GRPC
import Linux
import Support
import Testing

/// Containers that are run by a containerd shim of somebody else's (berth-runtime): one shim a pod, which may die or be killed, as may whoever
/// stands for its processes here. Afterwards nothing is left of any of them.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ForeignShimTests {
  /// Of containerd-shim-runc-v2: what its runc knows, and its sockets.
  private static let (states, sockets) = ("/run/containerd/runc/" + Node.foreignNamespace, "/run/containerd/s")

  /// Those that nobody listens at.
  private func deadSockets() -> Set<String> {
    let names = (try? Files.list(Self.sockets)) ?? []
    return Set(names.filter { (try? UnixSocket.connect(in: Self.sockets, name: $0)) == nil })
  }

  private func on(more: String = "", settings: String? = nil, _ body: (Node) async throws -> Void) async throws {
    let before = Leftovers(LeftoverScope(netnsPrefix: "berth-", directories: [Self.states]))
    let deadSockets = deadSockets()
    let handler = try settings ?? Node.foreignSettings()
    try await Node.with(settings: "[runtimes]\ndefault = \"foreign\"\n[runtimes.foreign]\n" + handler + more) { node in
      try await node.importBusybox()
      try await body(node)
      for pod in try await node.pods() { try await node.remove(pod: pod.id) }
      try await eventually("no container is left") { try Files.list(node.state + "/runtime").isEmpty ? true : nil }
    }
    let left = await before.differences()
    try? Files.removeDirectory(Self.states)
    #expect(left == [], "\(left.joined(separator: "\n"))")
    try await eventually("no socket is left") { self.deadSockets().subtracting(deadSockets).isEmpty ? true : nil }
  }

  /// Processes whose command line has all these words.
  private func processes(_ words: String...) -> [Int32] {
    ProcessTable.all().filter { pid in
      guard let line = ProcessTable.commandLine(pid) else { return false }
      return words.allSatisfy { line.contains($0) }
    }
  }

  /// Whether an exec of echo is answered.
  private func said(_ word: String, by container: String, _ node: Node) async throws -> Bool {
    let answer = try await node.exec(container, ["echo", word])
    return String(decoding: Array(answer.stdout), as: UTF8.self) == word + "\n"
  }

  /// Stands for a container's init.
  private func proxy(of container: String, in pod: String, _ node: Node) throws -> Pidfd {
    let text = try Files.read("\(node.state)/sandboxes/\(pod)/containers/\(container)/init.pid")
    return try Pidfd.open(try #require(Int32(String(decoding: text, as: UTF8.self))))
  }

  private func kill(_ pid: Int32) throws { try Pidfd.open(pid).signal(9) }

  @Test func `a pod's containers share a shim, which outlives berthd and goes with the last of them`() async throws {
    try await on { try await sharedShim($0) }
  }

  private func sharedShim(_ node: Node) async throws {
    let pods = [try await node.run(try node.podConfig("one")), try await node.run(try node.podConfig("two"))]
    var ids: [String] = []
    for pod in pods { ids.append(try await node.launch("first", ["sleep", "1000"], in: pod)) }
    ids.append(try await node.launch("second", ["sleep", "1000"], in: pods[0]))
    #expect(processes("containerd-shim-runc-v2", node.state).count == 2)
    try await node.restart()
    for id in ids { #expect(try await said("hello", by: id, node)) }
    try await node.stop(container: ids[0], timeout: 0)
    try await node.remove(container: ids[0])
    #expect(processes("containerd-shim-runc-v2", node.state).count == 2)
    let later = try await node.launch("later", ["sh", "-c", "exit 3"], in: pods[0])
    #expect(try await node.ended(later).exitCode == 3)
    for id in [ids[2], later] { try await node.remove(container: id) }
    #expect(processes("containerd-shim-runc-v2", node.state).count == 1)
    #expect(try await node.exec(ids[1], ["true"]).exitCode == 0)
  }

  @Test func `runtime_type is all that a handler needs, and the pod's infra container has the same shim`() async throws {
    let settings = """
      runtime_type = "io.containerd.runc.v2"
      monitor_env = ["BERTH_V2_NAMESPACE=\(Node.foreignNamespace)"]

      """
    try await on(settings: settings) { node in
      let pod = try await node.run(try node.podConfig("typed"))
      #expect(processes("containerd-shim-runc-v2", node.state).count == 1)
      #expect(try await node.output("echo typed", in: pod) == "typed\n")
      #expect(processes("containerd-shim-runc-v2", node.state).count == 1)
      try await node.remove(pod: pod)
      #expect(processes("containerd-shim-runc-v2", node.state).isEmpty)
      let other = try await node.run(try node.podConfig("killed"))
      try kill(try #require(processes("containerd-shim-runc-v2", node.state).first))
      try await eventually("the pod is not ready") { try await node.status(pod: other).state == .sandboxNotready ? true : nil }
    }
  }

  @Test func `a killed proxy takes its container along, and no other`() async throws {
    try await on { node in
      let pod = try await node.run(try node.podConfig("killed"))
      let (victim, other) = (
        try await node.launch("victim", ["sleep", "31415"], in: pod), try await node.launch("other", ["sleep", "27182"], in: pod)
      )
      try proxy(of: victim, in: pod, node).signal(9)
      #expect(try await node.ended(victim).exitCode == 137)
      try await eventually("its process is killed") { processes("sleep 31415").isEmpty ? true : nil }
      #expect(try await node.exec(other, ["true"]).exitCode == 0)
    }
  }

  @Test func `an exec whose proxy is killed is killed, too`() async throws {
    try await on { node in
      let pod = try await node.run(try node.podConfig("execs"))
      let id = try await node.launch("main", ["sleep", "1000"], in: pod)
      async let exec = node.exec(id, ["sleep", "16180"])
      try await eventually("it runs") { processes("sleep 16180").isEmpty ? nil : true }
      let proxies = processes("berth-runtime", " exec ", id)
      let leader = try #require(proxies.first { ProcessTable.statistics($0)?[3] == "\($0)" })
      try kill(leader)
      #expect(try await exec.exitCode == 137)
      try await eventually("it is killed") { processes("sleep 16180").isEmpty ? true : nil }
      try await eventually("nobody stands for it") { processes("berth-runtime", " exec ", id).isEmpty ? true : nil }
      #expect(try await said("again", by: id, node))
    }
  }

  @Test func `a killed shim takes its containers along, which say so, and the next has a new one`() async throws {
    try await on { try await shimless($0) }
  }

  private func shimless(_ node: Node) async throws {
    let pod = try await node.run(try node.podConfig("shimless"))
    var ids: [String] = []
    for name in ["a", "b"] { ids.append(try await node.launch(name, ["sleep", "14142"], in: pod)) }
    try kill(try #require(processes("containerd-shim-runc-v2", node.state).first))
    for id in ids {
      #expect(try await node.ended(id).exitCode == 255)
      #expect(try await node.log(id, of: pod).contains("containerd-shim-runc-v2: the shim has closed the connection"))
    }
    #expect(processes("sleep 14142").isEmpty)
    #expect(try await node.output("echo back", in: pod) == "back\n")
  }

  @Test func `berth-shim's death ends all, with berthd or without`() async throws {
    try await on { node in
      for isDown in [false, true] {
        let pod = try await node.run(try node.podConfig("orphaned-\(isDown)"))
        let id = try await node.launch("main", ["sleep", "17320"], in: pod)
        if isDown { try await node.kill() }
        try await node.killShim(of: pod)
        if isDown { try await node.start() }
        #expect(try await node.ended(id).reason == "ShimDied")
        try await node.remove(pod: pod)
        #expect(processes("sleep 17320").isEmpty && processes("containerd-shim-runc-v2", node.state).isEmpty)
      }
    }
  }

  /// A start that leaves a process behind.
  private static let leaving = #"case "$*" in *start) sleep 26535 & esac"#

  /// What a shim's binary does at its start, and what is told of it.
  private static let badShims: [(script: String, words: [String])] = [
    ("echo no luck today >&2; exit 3", ["start", "exit code 3", "no luck today"]),
    ("kill -9 $$", ["killed by signal 9"]),
    ("\(leaving)\necho some rubbish", ["some rubbish"]),
    ("true", ["told no address"]),
    ("echo unix:///no/such/socket", ["connecting to", "/no/such/socket"]),
    (#"echo '{"version":3,"address":"unix:///x/y","protocol":"grpc"}'"#, ["grpc"]),
    (#"echo '{"version":9,"address":"unix:///x/y","protocol":"ttrpc"}'"#, ["version 9"]),
  ]

  @Test(arguments: badShims) func `a shim that does not start, or answers rubbish, is told of`(_ bad: (script: String, words: [String]))
    async throws
  {
    try await withScratch("bad-shim") { folder in
      let shim = folder + "/containerd-shim-bad-v2"
      try Files.write("#!/bin/sh\n\(bad.script)\n", to: shim, mode: 0o755)
      try await on(settings: try Node.foreignSettings(shim: shim)) { node in
        try await expectNoStart(node, [shim] + bad.words)
        #expect(processes("sleep 26535").isEmpty)
      }
    }
  }

  @Test func `a shim that is missing, or deaf, is told of`() async throws {
    try await on(settings: try Node.foreignSettings(shim: "/no/such/shim")) { node in try await expectNoStart(node, ["/no/such/shim"]) }
    try await withScratch("deaf-shim") { folder in
      let listener = try UnixSocket.listen(in: folder, name: "deaf.sock")
      let shim = folder + "/containerd-shim-deaf-v2"
      try Files.write("#!/bin/sh\n\(Self.leaving)\necho unix://\(folder)/deaf.sock\n", to: shim, mode: 0o755)
      for limit in ["", "container_create_timeout = \"3s\"\n"] {
        try await on(more: limit, settings: try Node.foreignSettings(shim: shim)) { node in
          try await expectNoStart(node, limit.isEmpty ? [shim, "Task/Connect", "no answer in time"] : ["did not end in time"])
          #expect(processes("sleep 26535").isEmpty)
        }
      }
      _ = listener
    }
  }

  private func expectNoStart(_ node: Node, _ words: [String]) async throws {
    let pod = try await node.run(try node.podConfig("bad"))
    let id = try await node.create(node.containerConfig("main", ["true"]), in: pod)
    let error = await #expect(throws: GRPCStatus.self) { try await node.start(container: id) }
    for word in words { #expect(error?.message.contains(word) == true, "\(word) is not in: \(error?.message ?? "")") }
    let status = try await node.status(container: id)
    #expect(status.exitCode == 128 && status.reason == "StartError", "\(status)")
    try await node.remove(container: id)
  }

  /// What the runtime below a real shim does at its create, and what is told of it.
  private static let troubles: [(script: String, words: [String])] = [
    (#"printf '{"level":"error","msg":"no luck today"}' >>$log; exit 1"#, ["Task/Create", "no luck today"]),
    ("kill -9 $PPID; sleep 1", ["Task/Create", "closed the connection"]),
    (#"/usr/sbin/runc "$@"; kill -9 $PPID; exit 0"#, ["Task/Create", "closed the connection"]),
    ("sleep 1000", ["did not end in time"]),
  ]

  @Test(arguments: troubles) func `a shim that fails, dies or hangs while it makes a container leaves nothing`(
    _ trouble: (script: String, words: [String])
  ) async throws {
    try await withScratch("bad-runc") { folder in
      let script = """
        #!/bin/sh
        log=$(echo "$*" | sed 's/.*--log \\([^ ]*\\) .*/\\1/')
        for word; do case $word in create) \(trouble.script);; esac; done
        exec /usr/sbin/runc "$@"
        """
      try Files.write(script, to: folder + "/odd-runc", mode: 0o755)
      let settings = try Node.foreignSettings().replacing("\"]", with: "\", \"BERTH_V2_CONFIG=\(folder)/odd-runc\"]")
      try await on(more: "container_create_timeout = \"3s\"\n", settings: settings) { node in try await expectNoStart(node, trouble.words) }
    }
  }

  @Test func `a shim of any age is started: by the message of today, or by its options alone`() async throws {
    let real = "/usr/bin/containerd-shim-runc-v2"
    // What stdin has is told by its beginning: field 1 is the container's name, or the options' type.
    let isOptions = #"head -c 40 | grep -q containerd.runc.v1.Options"#
    for (taken, refusal) in [(isOptions, "cannot parse this"), ("! " + isOptions, "was started through the deprecated API")] {
      try await withScratch("picky-shim") { folder in
        let shim = folder + "/containerd-shim-picky-v2"
        let script = """
          #!/bin/sh
          case "$*" in *start) \(taken) || { echo \(refusal) >&2; exit 1; };; esac
          exec \(real) "$@" </dev/null

          """
        try Files.write(script, to: shim, mode: 0o755)
        try await on(settings: try Node.foreignSettings(shim: shim)) { node in
          let pod = try await node.run(try node.podConfig("picky"))
          #expect(try await node.output("echo well", in: pod) == "well\n")
        }
      }
    }
  }

  /// The shim goes on with a create that nobody waits for any more; the container that comes of it must not stay.
  @Test func `a create that was given up and ends late leaves nothing in a shim that has other containers`() async throws {
    try await withScratch("late-shim") { folder in
      let settings = try Node.foreignSettings(shim: Node.streamedShim)
        .replacing("\"]", with: "\", \"STREAMS_LATE=\(folder)/late\"]")
      try await on(more: "container_create_timeout = \"2s\"\n", settings: settings) { node in
        let pod = try await node.run(try node.podConfig("late"))
        let other = try await node.launch("other", ["sleep", "1000"], in: pod)
        try Files.write("", to: folder + "/late")
        let id = try await node.create(node.containerConfig("main", ["sleep", "16181"]), in: pod)
        await #expect(throws: GRPCStatus.self) { try await node.start(container: id) }
        try await node.remove(container: id)
        try await eventually("the guardian has ended it", within: 30) { processes("berth-runtime", id).isEmpty ? true : nil }
        #expect(try Files.list(Self.states) == [other] && Files.list(node.state + "/runtime") == [other])
        #expect(try await said("there", by: other, node))
      }
    }
  }

  @Test func `execs that are killed leave no FIFO and no process of the shim`() async throws {
    try await on { node in
      let pod = try await node.run(try node.podConfig("execs"))
      let id = try await node.launch("main", ["sleep", "1000"], in: pod)
      for _ in 0..<3 { await expectFault(.deadlineExceeded, "1 s") { _ = try await node.exec(id, ["sleep", "16182"], timeout: 1) } }
      try await eventually("they are gone") { processes("sleep 16182").isEmpty ? true : nil }
      try await eventually("their streams are gone") {
        try Files.list("\(node.state)/runtime/\(id)").contains { $0.hasPrefix("exec-") } ? nil : true
      }
    }
  }

  @Test func `a container that is stopped has ended only when its process has`() async throws {
    try await withScratch("slow-runc") { folder in
      let script = """
        #!/bin/sh
        for word; do case $word in kill) sleep 1;; esac; done
        exec /usr/sbin/runc "$@"

        """
      try Files.write(script, to: folder + "/odd-runc", mode: 0o755)
      let settings = try Node.foreignSettings().replacing("\"]", with: "\", \"BERTH_V2_CONFIG=\(folder)/odd-runc\"]")
      try await on(settings: settings) { node in
        let pod = try await node.run(try node.podConfig("slow"))
        let id = try await node.launch("main", ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done # 16183"], in: pod)
        try await node.stop(container: id, timeout: 0)
        #expect(try await node.status(container: id).exitCode == 137)
        #expect(processes("# 16183").isEmpty)
      }
    }
  }
}
