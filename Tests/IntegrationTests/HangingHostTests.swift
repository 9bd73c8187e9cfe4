import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Synchronization
import Testing

/// Host paths that never answer, as those of a dead NFS server: each costs its own container an error that names it, and nobody else anything.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HangingHostTests {
  private typealias Change = @Sendable (inout Runtime_V1_ContainerConfig) -> Void

  /// Seconds; long beside what a container takes, so that who waits for another's path is seen.
  private static let limit = 15

  @Test func `paths that never answer delay only their own containers, are named, and cost no thread and no process`() async throws {
    try await withDeadDirectory { dead, specs in
      try await Node.with(settings: Self.settings(dead, specs)) { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("hanging"))
        let silent = try await node.run(Node.podConfig("silent", logs: dead + "/logs"))
        // Threads that nobody needs any more end after a few seconds.
        try await Task.sleep(for: .seconds(6))
        let (children, threads) = (try node.children(), try node.threads())
        let mount = try DeadMount.make(at: dead)
        var stuck: [StuckContainer] = []
        for (name, change) in Self.users(of: dead) { stuck.append(StuckContainer(name, "\(dead)/\(name)", change, in: pod, on: node)) }
        stuck.append(StuckContainer("log", dead + "/logs", { _ in }, in: silent, on: node))
        try await eventually("each waits for its path") { try node.children().subtracting(children).count >= stuck.count ? true : nil }
        #expect(try await node.output("echo beside", in: pod) == "beside\n")
        for container in stuck { #expect(!container.hasAnswer, "\(container.name) did not wait") }
        for container in stuck { await container.expectTimeout() }
        #expect(try await node.containers().isEmpty)
        try await eventually("no process is left") { try node.children().isSubset(of: children) ? true : nil }
        try await eventually("no thread is left", within: 30) { try node.threads() <= threads ? true : nil }
        _ = consume mount
      }
    }
  }

  @Test func `a device that the operator gives to all containers and never answers is named, and what runs goes on`() async throws {
    try await withDeadDirectory { dead, _ in
      let settings = "[containers]\nhost_path_timeout = 1\nadditional_devices = [\"\(dead)/device\"]\n"
      try await Node.with(settings: settings) { node in
        try await node.importBusybox()
        try Files.write("", to: dead + "/device")
        let pod = try await node.run(try node.podConfig("hanging"))
        await expectFault(.failedPrecondition, "additional_devices[0].host_path", dead + "/device") {
          _ = try await node.create(node.containerConfig("none", ["true"]), in: pod)
        }
        let children = try node.children()
        let mount = try DeadMount.make(at: dead)
        for attempt in 0..<3 {
          await expectFault(.deadlineExceeded, "host path \(dead)/device") {
            _ = try await node.create(node.containerConfig("hangs-\(attempt)", ["true"]), in: pod)
          }
        }
        #expect(try await node.status(pod: pod).state == .sandboxReady)
        try await eventually("no process is left") { try node.children().isSubset(of: children) ? true : nil }
        _ = consume mount
      }
    }
  }

  @Test func `a directory of CDI specs that never answers delays only those who ask for devices of it, and is named`() async throws {
    try await withDeadDirectory { dead, _ in
      try await Node.with(settings: "[containers]\nhost_path_timeout = \(Self.limit)\n[cdi]\nspec_dirs = [\"\(dead)\"]\n") { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("hanging"))
        let children = try node.children()
        let mount = try DeadMount.make(at: dead)
        let stuck = StuckContainer("device", dead, { $0.cdiDevices = [.with { $0.name = "vendor.com/net=one" }] }, in: pod, on: node)
        try await eventually("it waits") { try node.children().subtracting(children).isEmpty ? nil : true }
        #expect(try await node.output("echo beside", in: pod) == "beside\n")
        #expect(!stuck.hasAnswer)
        await stuck.expectTimeout()
        _ = consume mount
      }
    }
  }

  private func withDeadDirectory(_ body: (_ dead: String, _ specs: String) async throws -> Void) async throws {
    try await withScratch("dead") { scratch in
      for name in ["dead", "specs"] { try Files.makeDirectories("\(scratch)/\(name)") }
      try await body(scratch + "/dead", scratch + "/specs")
    }
  }
}

extension HangingHostTests {
  private static func settings(_ dead: String, _ specs: String) throws -> String {
    let edits = [
      ("node", #""deviceNodes": [{"path": "/dev/x", "hostPath": "\#(dead)/node"}]"#),
      ("bind", #""mounts": [{"hostPath": "\#(dead)/bind", "containerPath": "/x"}]"#),
      ("hook", #""hooks": [{"hookName": "createRuntime", "path": "\#(dead)/hook"}]"#),
    ]
    let devices = edits.map { name, edits in #"{"name": "\#(name)", "containerEdits": {\#(edits)}}"# }.joined(separator: ",")
    try Files.write(#"{"cdiVersion": "0.6.0", "kind": "vendor.com/net", "devices": [\#(devices)]}"#, to: specs + "/net.json")
    return """
      [containers]
      host_path_timeout = \(limit)
      allowed_devices = ["\(dead)/annotated"]
      [cdi]
      spec_dirs = ["\(specs)"]
      [runtimes.runc]
      allowed_annotations = ["devices.crio.io"]

      """
  }

  /// Each named as what it finds at no time is called.
  private static func users(of dead: String) -> [(name: String, change: Change)] {
    [
      ("mount", { $0.mounts = [.with { ($0.hostPath, $0.containerPath) = (dead + "/mount", "/x") }] }),
      ("device", { $0.devices = [.with { ($0.hostPath, $0.containerPath) = (dead + "/device", "/dev/x") }] }),
      ("seccomp", { $0.linux.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, dead + "/seccomp") } }),
      ("profile", { $0.linux.securityContext.seccompProfilePath = "localhost/\(dead)/profile" }),
      ("node", { $0.cdiDevices = [.with { $0.name = "vendor.com/net=node" }] }),
      ("bind", { $0.cdiDevices = [.with { $0.name = "vendor.com/net=bind" }] }),
      ("hook", { $0.annotations = ["cdi.k8s.io/x": "vendor.com/net=hook"] }),
      ("annotated", { $0.annotations = ["devices.crio.io": "\(dead)/annotated:/dev/x"] }),
    ]
  }
}

/// A CreateContainer under way that waits for a path.
private final class StuckContainer: Sendable {
  let name: String
  private let path: String
  private let answer = Mutex<GRPCStatus?>(nil)
  private let call: Mutex<Task<Void, Never>?> = Mutex(nil)

  init(_ name: String, _ path: String, _ change: (inout Runtime_V1_ContainerConfig) -> Void, in pod: String, on node: Node) {
    (self.name, self.path) = (name, path)
    let config = node.containerConfig(name, ["true"], change)
    let task = Task { [self] in
      do {
        let id = try await node.create(config, in: pod)
        answer.withLock { $0 = GRPCStatus(.ok, "container \(id)") }
      } catch {
        answer.withLock { $0 = error as? GRPCStatus ?? GRPCStatus(.unknown, "\(error)") }
      }
    }
    call.withLock { $0 = task }
  }

  var hasAnswer: Bool { answer.withLock { $0 != nil } }

  func expectTimeout() async {
    await call.withLock { $0 }?.value
    let status = answer.withLock { $0 }
    let says = "host path \(path): did not answer"
    #expect(
      status?.code == .deadlineExceeded && status?.message.contains(says) == true, "\(name): \(status.map { "\($0)" } ?? "no answer")")
  }
}
