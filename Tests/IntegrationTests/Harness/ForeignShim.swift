import Core
import Linux
import ShimAPI
import SwiftProtobuf
import TTRPC
import Testing

/// Debian's containerd-shim-runc-v2 with one container, driven as containerd does it; its events go to berthd.
final class ForeignShim: Sendable {
  static let namespace = "berth-test-\(Process.id)"
  private static let path = "/usr/bin/containerd-shim-runc-v2"

  let id: String
  private let bundle: String
  private let socket: String
  private let client: TTRPCClient
  /// What it says goes nowhere, but somebody must be there to read it.
  private let log: FileHandle

  private init(id: String, bundle: String, socket: String, client: TTRPCClient, log: consuming FileHandle) {
    self.id = id
    self.bundle = bundle
    self.socket = socket
    self.client = client
    self.log = log
  }

  /// A bundle whose program sleeps, and its shim.
  static func start(_ node: Node, id: String) async throws -> ForeignShim {
    let bundle = node.scratch + "/foreign/" + id
    try Files.makeDirectories(bundle + "/rootfs/bin")
    try Files.write(try Files.read("/usr/bin/busybox"), to: bundle + "/rootfs/bin/sleep", mode: 0o755)
    _ = try await Command.run("/usr/sbin/runc", ["spec"], directory: bundle, timeout: .seconds(10))
    let spec = try JSON(parsing: try Files.read(bundle + "/config.json"))
    let process = try #require(spec["process"]).setting("args", ["sleep", "600"]).setting("terminal", false)
    let linux = try #require(spec["linux"]).setting("cgroupsPath", .string(Node.cgroup(id)))
    try Files.write(spec.setting("process", process).setting("linux", linux).bytes, to: bundle + "/config.json")
    try Fifo.make(bundle + "/log")
    let log = try Fifo.both(bundle + "/log")
    let started = try await Command.run(
      path, ["-namespace", namespace, "-id", id, "-address", node.socket, "start"],
      environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TTRPC_ADDRESS=\(node.state)/events.ttrpc"], directory: bundle,
      timeout: .seconds(20))
    guard started.succeeded else { throw Fault(.internal, "the shim: " + String(decoding: started.stderr, as: UTF8.self)) }
    let socket = String(String(decoding: started.stdout, as: UTF8.self).trimmingPrefix("unix://"))
    let connection = try UnixSocket.connect(in: Files.parent(of: socket), name: String(socket.split(separator: "/").last ?? ""))
    let client = try await TTRPCClient.adopt(socket: connection.release())
    return ForeignShim(id: id, bundle: bundle, socket: socket, client: client, log: log)
  }

  private func call<Answer: Message>(_ method: String, _ request: some Message, _: Answer.Type = Answer.self) async throws -> Answer {
    try await client.call("containerd.task.v2.Task", method, request, timeout: .seconds(20))
  }

  /// Create, start, kill, wait, delete.
  func live() async throws {
    let create = Containerd_Task_V3_CreateTaskRequest.with { ($0.id, $0.bundle) = (id, bundle) }
    let _: Containerd_Task_V3_CreateTaskResponse = try await call("Create", create)
    let _: Containerd_Task_V3_StartResponse = try await call("Start", Containerd_Task_V3_StartRequest.with { $0.id = id })
    let _: Google_Protobuf_Empty = try await call("Kill", Containerd_Task_V3_KillRequest.with { ($0.id, $0.signal) = (id, 9) })
    let _: Containerd_Task_V3_WaitResponse = try await call("Wait", Containerd_Task_V3_WaitRequest.with { $0.id = id })
    let _: Containerd_Task_V3_DeleteResponse = try await call("Delete", Containerd_Task_V3_DeleteRequest.with { $0.id = id })
  }

  /// Ends it, and takes its socket and its runtime's state away.
  func end() async {
    let _: Google_Protobuf_Empty? = try? await call("Shutdown", Containerd_Task_V3_ShutdownRequest.with { ($0.id, $0.now) = (id, true) })
    client.close()
    try? Files.remove(socket)
    try? Files.removeTree("/run/containerd/runc/" + Self.namespace)
  }
}
