import FoundationEssentials
import Linux
import ShimAPI
import Support
import SwiftProtobuf
import TTRPC
import Testing

/// One pod: a shim started as berthd starts it, a busybox root, and a client.
final class TestPod: Sendable {
  /// What a test may change about the sandbox.
  typealias Change = (inout Berth_Shim_V1_SetupRequest) -> Void

  static let package = String(#filePath.prefix(#filePath.count - "/Tests/ShimTests/ShimFixture.swift".count))
  private static let tools = [
    "sh", "sleep", "true", "cat", "ls", "echo", "head", "yes", "setsid", "tr", "hostname", "stty", "kill", "printf", "seq", "ip", "env",
  ]

  let id = (0..<8).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 16) }.joined()
  let scratch: String
  let shim: Pidfd
  let client: TTRPCClient

  var directory: String { "\(scratch)/sandboxes/\(id)" }
  var netns: String { scratch + "/netns" }
  var lower: String { scratch + "/lower" }
  var runtimeRoot: String { scratch + "/runc" }
  /// Parent of all the pod's cgroups.
  var cgroup: String { "/berth-shim-tests-\(id.prefix(12))" }

  private init(_ scratch: String) async throws {
    self.scratch = scratch
    try Files.makeDirectories("\(scratch)/sandboxes/\(id)")
    try await Self.makeRoot(scratch + "/lower")
    shim = try await Self.spawn("\(scratch)/sandboxes/\(id)", id)
    client = try await Self.connect("\(scratch)/sandboxes/\(id)")
  }

  private static func makeRoot(_ path: String) async throws {
    for name in ["bin", "proc", "dev", "sys", "tmp", "etc"] { try Files.makeDirectories("\(path)/\(name)", mode: 0o755) }
    let links = tools.map { "ln -s busybox \(path)/bin/\($0)" }.joined(separator: "; ")
    try await shell("cp /bin/busybox \(path)/bin/busybox; " + links)
  }

  @discardableResult
  static func shell(_ script: String) async throws -> String {
    let output = try await Command.run(
      "/bin/sh", ["-c", script], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], timeout: .seconds(60), outputLimit: 64 << 20)
    #expect(output.succeeded, "\(script): \(output.errorText)")
    return String(decoding: output.stdout, as: UTF8.self)
  }

  private static func spawn(_ directory: String, _ id: String) async throws -> Pidfd {
    try await BlockingWork.run {
      let socket = try UnixSocket.listen(in: directory, name: "shim.sock")
      let null = try FileHandle.open("/dev/null")
      let log = try FileHandle.append(to: directory + "/shim.log")
      var program = Spawn(
        package + "/.build/debug/berth-shim", ["serve", "--id", id, "--dir", directory],
        descriptors: [null.raw, log.raw, log.raw, socket.raw])
      program.directory = directory
      program.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
      return try program.start()
    }
  }

  static func connect(_ directory: String) async throws -> TTRPCClient {
    try await TTRPCClient.adopt(socket: try UnixSocket.connect(in: directory, name: "shim.sock").release())
  }

  func pod<Request: Message, Response: Message>(_ method: String, _ request: Request) async throws -> Response {
    try await client.call("berth.shim.v1.Pod", method, request, timeout: .seconds(60))
  }

  func task<Request: Message, Response: Message>(_ method: String, _ request: Request) async throws -> Response {
    try await client.call("containerd.task.v3.Task", method, request, timeout: .seconds(60))
  }

  /// A pod for `body`; afterwards it is torn down, and nothing of it may be left.
  static func with(_ change: Change = { _ in }, _ body: (TestPod) async throws -> Void) async throws {
    try await withScratch("shim") { scratch in
      let pod = try await TestPod(scratch)
      do {
        try await pod.setUp(change)
        try await body(pod)
        try await pod.tearDown()
      } catch {
        try await pod.abandon()
        throw error
      }
    }
  }

  /// A shim that was not set up, for `body`, which must leave it without containers.
  static func withBareShim(_ body: (TestPod) async throws -> Void) async throws {
    try await withScratch("shim") { scratch in
      let pod = try await TestPod(scratch)
      do {
        try await body(pod)
        try await pod.tearDown()
      } catch {
        try await pod.abandon()
        throw error
      }
    }
  }

  @discardableResult
  func setUp(_ change: Change = { _ in }) async throws -> Int32 {
    var request = Berth_Shim_V1_SetupRequest.with {
      $0.sandboxID = id
      $0.network = true
      $0.ipc = true
      $0.uts = true
      $0.hostname = "testpod"
      $0.netnsPath = netns
    }
    change(&request)
    let response: Berth_Shim_V1_SetupResponse = try await pod("Setup", request)
    return Int32(response.holderPid)
  }

  private func tearDown() async throws {
    let holder = try await list().holderPid
    let _: Berth_Shim_V1_TeardownResponse = try await pod("Teardown", Berth_Shim_V1_TeardownRequest())
    #expect(await shim.ended(within: .seconds(10)))
    #expect(try shim.reap() == .exited(0))
    if holder > 0 { #expect(ProcessTable.startTime(Int32(holder)) == nil) }
    try expectNothingLeft()
  }

  private func expectNothingLeft() throws {
    let tree = try CgroupTree.detect()
    let parent = try Cgroup(cgroup, in: tree)
    Cgroup.removeEmpty(parent.directories)
    #expect(!parent.exists)
    #expect(try MountInfo.read().filter { $0.mountPoint.hasPrefix(scratch) }.isEmpty)
    #expect(!Files.exists(netns))
    #expect(!Files.exists(directory + "/shim.sock"))
    #expect(((try? Files.list(runtimeRoot)) ?? []).isEmpty)
    #expect(try Files.list(directory).filter { $0.hasPrefix("exec-") }.isEmpty)
    #expect(ProcessTable.all().allSatisfy { ProcessTable.commandLine($0)?.contains(id) != true })
    client.close()
  }

  /// After a failed test: by force.
  private func abandon() async throws {
    shim.kill()
    _ = await shim.ended(within: .seconds(10))
    _ = try? shim.reap()
    if let tree = try? CgroupTree.detect(), let group = try? Cgroup(cgroup, in: tree) {
      _ = await BlockingWork.run { group.kill() }
      try? group.remove()
    }
    try Mounts.unmountAll(below: scratch)
    client.close()
  }

  func list() async throws -> Berth_Shim_V1_ListResponse { try await pod("List", Berth_Shim_V1_ListRequest()) }
  func shimLog() -> String { String(decoding: (try? Files.read(directory + "/shim.log")) ?? [], as: UTF8.self) }
}
