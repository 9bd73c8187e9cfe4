import CRIAPI
import Core
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

/// Containers whose blocked system calls are counted and answered by a process of their own.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SeccompNotifierTests {
  private static let key = "seccomp-notifier-action.crio.io"
  private static let settings =
    "[runtimes.open]\ninherit_default_runtime = true\nallowed_annotations = [\"\(key)\"]\n"
  private static let profile = """
    {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
      {"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28},
      {"names":["umask"],"action":"SCMP_ACT_ERRNO"},
      {"names":["chroot"],"action":"SCMP_ACT_KILL_PROCESS"}]}
    """

  /// A node whose handler `open` allows the annotation, and a pod of it that says `action`.
  private func withPod(
    _ annotations: [String: String], runtime: String = "runc", _ body: (Node, String, String) async throws -> Void
  ) async throws {
    try await withScratch("notifier") { scratch in
      let settings = "[metrics]\naddress = \"unix://\(scratch)/m.sock\"\n" + Self.settings
      try await Node.with(runtime: runtime, settings: settings) { node in
        try await node.importBusybox()
        try Files.write(Self.profile, to: node.scratch + "/profile.json", mode: 0o644)
        let config = try node.podConfig("notifier") {
          $0.annotations = annotations
          $0.linux.securityContext.namespaceOptions.network = .node
        }
        try await body(node, try await node.run(config, "open"), scratch + "/m.sock")
        for pod in try await node.pods() { try await node.remove(pod: pod.id) }
        // As berthd sees it, whose mounts may be its own.
        #expect(try Files.list("/proc/\(node.processID())/root\(node.state)/seccomp").isEmpty)
        #expect(try notifiers(of: node).isEmpty)
      }
    }
  }

  private func launch(_ name: String, _ script: String, on node: Node, in pod: String) async throws -> String {
    try await node.launch(name, ["sh", "-c", script], in: pod) {
      $0.linux.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, node.scratch + "/profile.json") }
    }
  }

  /// Processes that answer for the node's containers.
  private func notifiers(of node: Node) throws -> [Int32] {
    try Files.list("/proc").compactMap(Int32.init).filter { pid in
      guard let name = try? Files.read("/proc/\(pid)/comm"), name == Array("berth-seccomp\n".utf8) else { return false }
      let line = (try? Files.read("/proc/\(pid)/cmdline")).map { String(decoding: $0, as: UTF8.self) } ?? ""
      return line.contains(node.state)
    }
  }

  private func counts(_ container: String, on node: Node) async throws -> String {
    let request = Runtime_V1_ContainerStatusRequest.with { ($0.containerID, $0.verbose) = (container, true) }
    return try await node.runtime("ContainerStatus", request, returning: Runtime_V1_ContainerStatusResponse.self).info["seccomp"] ?? ""
  }

  /// A runtime may have tried some before the container's program did.
  private func expectCounts(_ texts: String..., of container: String, on node: Node) async {
    var last = ""
    _ = try? await eventually("counts", within: 5) {
      last = try await counts(container, on: node)
      return texts.allSatisfy(last.contains) ? true : nil
    }
    #expect(texts.allSatisfy(last.contains), "\(last)")
  }

  @Test(arguments: ["runc", "crun"])
  func `a container that tries what its profile blocks is killed when it is quiet, whoever killed berthd meanwhile`(_ runtime: String)
    async throws
  {
    try await withPod([Self.key: "stop"], runtime: runtime) { node, pod, metrics in
      let id = try await launch("bad", "mkdir /a; mkdir /b; mkdir /c; exec sleep 1000", on: node, in: pod)
      let said = try await node.exec(id, ["mkdir", "/d"])
      #expect(String(decoding: said.stderr, as: UTF8.self).contains("No space left on device") && said.exitCode == 1, "\(said)")
      await expectCounts(#""mkdir":4"#, of: id, on: node)
      #expect(try await Scrape(metrics).text.contains(#"notifier_count_total{name="k8s_bad_notifier_"#))
      let innocent = try await launch("good", "exec sleep 1000", on: node, in: pod)
      try await node.kill()
      try await node.restart()
      #expect(try await counts(id, on: node).contains(#""mkdir":4"#))
      let status = try await node.ended(id)
      #expect(status.reason == "seccomp killed" && status.message.hasPrefix("Used forbidden syscalls: mkdir (4x)"), "\(status)")
      #expect(status.exitCode == 137)
      #expect(try await node.status(container: innocent).state == .containerRunning)
      #expect(try notifiers(of: node).count == 1)
      #expect(try await counts(id, on: node).contains(#""mkdir":4"#))
      try await node.remove(container: id)
    }
  }

  @Test func `a container whose calls are only reported goes on while no berthd is there, and its calls are answered and counted`()
    async throws
  {
    try await withPod([Self.key + "/POD": ""]) { node, pod, _ in
      let id = try await launch("main", "while :; do mkdir /x 2>/dev/null || echo refused; sleep 0.05; done", on: node, in: pod)
      try await eventually("it tries") { try await node.log(id, of: pod).isEmpty ? nil : true }
      try await node.kill()
      let path = node.logs + "/notifier/main.log"
      let size = try Files.read(path).count
      try await eventually("it goes on") { try Files.read(path).count > size + 200 ? true : nil }
      try await node.start()
      try await eventually("it is known") { try await counts(id, on: node).contains("mkdir") ? true : nil }
      let status = try await node.status(container: id)
      #expect(status.state == .containerRunning)
      try await node.stop(container: id, timeout: 0)
      let tried = try await counts(id, on: node)
      let refused = try await node.log(id, of: pod).split(separator: "\n").count
      #expect(tried == "{\"mkdir\":\(refused)}" || tried == "{\"mkdir\":\(refused + 1)}", "\(refused)")
      #expect(try await node.status(container: id).reason == "Error")
    }
  }

  @Test func `calls that the standard profile does not name are reported too, and one that a rule would kill for kills`() async throws {
    try await withPod(["io.kubernetes.cri-o.seccompNotifierAction": "report"]) { node, pod, _ in
      let id = try await node.launch("main", ["sleep", "1000"], in: pod) { $0.linux.securityContext.seccomp.profileType = .runtimeDefault }
      let said = try await node.exec(id, ["mount", "-t", "tmpfs", "x", "/mnt"])
      #expect(said.exitCode != 0)
      let swap = try await node.exec(id, ["swapoff", "/none"])
      #expect(String(decoding: swap.stderr, as: UTF8.self).contains("Operation not permitted"), "\(swap)")
      #expect(try await counts(id, on: node).contains(#""swapoff":1"#))
      let strict = try await launch("strict", "chroot / true; echo $?; umask 0; exec sleep 1000", on: node, in: pod)
      try await eventually("it has tried") { try await node.log(strict, of: pod).contains("137\n") ? true : nil }
      await expectCounts(#""chroot":1"#, #""umask":"#, of: strict, on: node)
    }
  }

  @Test func `who does nothing but try gets so many answers a second, and no other container's`() async throws {
    try await withPod([Self.key + "/main": "report"]) { node, pod, _ in
      let begin = SystemClock.monotonicNanoseconds()
      let id = try await launch("main", "while :; do umask 22; done", on: node, in: pod)
      let tries = try await eventually("it tries often", within: 60) {
        let text = try await counts(id, on: node).drop { !$0.isNumber }.prefix { $0.isNumber }
        return Int64(text).flatMap { $0 > 20_000 ? $0 : nil }
      }
      // 10 ms of rest after 64 answers.
      #expect(SystemClock.monotonicNanoseconds() - begin > tries / 64 * 9_000_000)
      let other = try await launch("other", "mkdir /a", on: node, in: pod)
      #expect(try await counts(other, on: node).isEmpty)
      try await node.stop(container: id, timeout: 0)
    }
  }

  @Test func `hundreds of execs of one container are all answered and counted, and leave nothing open`() async throws {
    try await withPod([Self.key + "/main": "report"]) { node, pod, _ in
      let id = try await launch("main", "exec sleep 1000", on: node, in: pod)
      let processes = [try #require(try notifiers(of: node).first), try node.shimID(of: pod), try node.processID()]
      let open = { try processes.map { try Files.list("/proc/\($0)/fd").count } }
      _ = try await node.exec(id, ["mkdir", "/x"])
      let before = try open()
      try await withThrowingTaskGroup(of: Int32.self) { group in
        for _ in 0..<6 {
          group.addTask {
            var refused: Int32 = 0
            for _ in 0..<60 { refused += try await node.exec(id, ["mkdir", "/x"]).exitCode == 1 ? 1 : 0 }
            return refused
          }
        }
        for try await refused in group { #expect(refused == 60) }
      }
      await expectCounts(#"{"mkdir":361}"#, of: id, on: node)
      try await eventually("all is closed") { try zip(open(), before).allSatisfy { $0 <= $1 } ? true : nil }
      #expect(try notifiers(of: node) == [processes[0]])
    }
  }

  @Test func `calls of a container whose notifier was killed do not exist any more, and it goes on`() async throws {
    try await withPod([Self.key + "/main": "report"]) { node, pod, _ in
      let id = try await launch("main", "while :; do mkdir /a; sleep 0.1; done", on: node, in: pod)
      try await eventually("it is answered") { try await node.log(id, of: pod).contains("No space left on device") ? true : nil }
      try Pidfd.open(try #require(try notifiers(of: node).first)).signal(9)
      try await eventually("nobody answers") { try await node.log(id, of: pod).contains("Function not implemented") ? true : nil }
      #expect(try await node.status(container: id).state == .containerRunning)
      try await node.stop(container: id, timeout: 0)
    }
  }
}
