import CRIAPI
import Core
import GRPC
import Linux
import Support
import Testing

/// An OCI runtime that fails, dies, lies, or takes its shim with it at its Nth call, as the kubelet sees it: the call that needed it says what and why, the container
/// ends with a reason, everything can be removed, and (the node asserts it) nothing is left.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RuntimeFailureTests {
  /// The runtime's calls in the life of these tests: create, start, exec, delete.
  private static let calls = 1...4

  /// What a stand-in does instead of (or after) the runtime's work. `$log` is the file it was given for its log.
  enum Trouble: String, CaseIterable {
    case fails = #"printf '{"level":"error","msg":"no luck today"}' >>$log; exit 1"#
    case failsAtOnce = "echo no luck today >&2; exit 1"
    case dies = "kill -9 $$"
    case lies = #"/usr/sbin/runc "$@"; echo no luck today >&2; exit 1"#
    case killsItsShim = "kill -9 $PPID; exit 1"
    case killsItsShimAfterwards = #"/usr/sbin/runc "$@"; kill -9 $PPID; exit 1"#

    /// What a runtime says on standard error is the container's output where it has been handed to the container already.
    func hasWords(at verb: String) -> Bool { self == .fails || self == .failsAtOnce && verb == "start" }
  }

  @Test(arguments: Trouble.allCases, calls) func `a trouble at any of the runtime's calls is told, survived and cleared up`(
    _ trouble: Trouble, _ call: Int
  ) async throws {
    try await withScratch("standin") { folder in
      let program = try Self.standIn(folder, trouble, on: call)
      try await Node.with(settings: "[runtimes]\ndefault = \"odd\"\n[runtimes.odd]\npath = \"\(program)\"\n") { node in
        try await node.importBusybox()
        let life = try await Life.lived(on: node)
        let verb = try Self.verb(of: call, in: folder)
        Self.expectTold(life, trouble, verb)
        try await Self.goesOn(node, life)
      }
    }
  }

  /// Counts its calls, tells their verbs apart in `calls`; the Nth does `trouble`.
  private static func standIn(_ folder: String, _ trouble: Trouble, on call: Int) throws -> String {
    let script = """
      #!/bin/sh
      log=$(echo "$*" | sed 's/.*--log \\([^ ]*\\) .*/\\1/')
      for word; do case $word in create|start|exec|delete|kill|state) echo $word >>\(folder)/calls; break;; esac; done
      [ $(wc -l <\(folder)/calls) = \(call) ] && { \(trouble.rawValue); }
      exec /usr/sbin/runc "$@"
      """
    try Files.write(script, to: folder + "/odd-runc", mode: 0o755)
    return folder + "/odd-runc"
  }

  private static func verb(of call: Int, in folder: String) throws -> String {
    let verbs = String(decoding: try Files.read(folder + "/calls"), as: UTF8.self).split(separator: "\n")
    try #require(verbs.count >= call, "the runtime was called for \(verbs) only")
    return String(verbs[call - 1])
  }

  /// Whoever needed the call that went wrong learns of it, with the runtime's own words where it had any.
  private static func expectTold(_ life: Life, _ trouble: Trouble, _ verb: String) {
    switch verb {
    case "create", "start":
      let told = life.failures["create"] ?? life.failures["start"]
      #expect(told != nil, "\(trouble) at \(verb): \(life.failures)")
      if trouble.hasWords(at: verb) { #expect(told?.message.contains("no luck today") == true, "\(life.failures)") }
    case "exec" where trouble != .lies:
      #expect(life.failures["exec"] != nil, "\(trouble) at exec: \(life.failures)")
      if trouble.hasWords(at: verb) { #expect(life.failures["exec"]?.message.contains("no luck today") == true, "\(life.failures)") }
    default: break
    }
    #expect(life.failures["pod"] == nil && life.failures["remove"] == nil, "\(life.failures)")
    #expect(life.state == .containerExited, "\(life.state)")
  }

  /// What went wrong stays where it was: the next pod on the same node lives.
  private static func goesOn(_ node: Node, _ life: Life) async throws {
    #expect(try await node.pods().isEmpty)
    #expect(try await node.containers().isEmpty)
    let next = try await Life.lived(on: node, named: "next")
    #expect(next.failures.isEmpty, "\(next.failures)")
  }
}

/// One pod with one container through every RPC that calls the runtime; which of them failed, and how.
private struct Life {
  var failures: [String: GRPCStatus] = [:]
  var state = Runtime_V1_ContainerState.containerUnknown

  static func lived(on node: Node, named name: String = "odd") async throws -> Life {
    var life = Life()
    let pod = try await node.run(try node.podConfig(name))
    let config = node.containerConfig("main", ["/bin/sleep", "1000"])
    guard let id = try await life.attempt("create", { try await node.create(config, in: pod) }) else {
      life.state = .containerExited
      try await life.end(pod, on: node)
      return life
    }
    _ = try await life.attempt("start") { try await node.start(container: id) }
    if life.failures.isEmpty {
      let answer = try await life.attempt("exec") { try await node.exec(id, ["/bin/echo", "hello"]) }
      if let answer, answer.exitCode != 0 || String(decoding: answer.stdout, as: UTF8.self) != "hello\n" {
        life.failures["exec"] = GRPCStatus(.unknown, "exit code \(answer.exitCode): \(String(decoding: answer.stderr, as: UTF8.self))")
      }
    }
    _ = try await life.attempt("stop") { try await node.stop(container: id, timeout: 0) }
    life.state = try await node.status(container: id).state
    try await life.end(pod, on: node)
    return life
  }

  private mutating func end(_ pod: String, on node: Node) async throws {
    _ = try await attempt("pod") { try await node.stop(pod: pod) }
    _ = try await attempt("remove") { try await node.remove(pod: pod) }
  }

  private mutating func attempt<T>(_ step: String, _ call: () async throws -> T) async throws -> T? {
    do {
      return try await call()
    } catch let error as GRPCStatus {
      failures[step] = error
      return nil
    }
  }
}
