import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Synchronization
import Testing

/// A node of the test's own: directories, a CNI network with its own bridge and subnet, and a real berthd that can be killed and started again.
final class Node: Sendable {
  let scratch: String
  let number: Int
  private let daemon = Mutex<Pidfd?>(nil)
  private let connection = Mutex<GRPCClient?>(nil)

  /// Whether systemd makes cgroups (BERTH_TEST_CGROUP_DRIVER=systemd): only where it is process 1, as in `hack/vm`.
  static let hasSystemd = Environment.value("BERTH_TEST_CGROUP_DRIVER") == "systemd"

  /// Parent of all pods of these tests: of this run's own, so that two runs at once do not see each other's.
  static let cgroup = hasSystemd ? "/berthtest\(Process.id).slice" : "/berth-test-\(Process.id)"

  /// A group of its own for a pod, below that.
  static func cgroup(_ name: String) -> String {
    hasSystemd ? "\(cgroup)/\(cgroup.dropFirst().dropLast(6))-\(name).slice" : "\(cgroup)/\(name)"
  }

  /// Of a container, below its pod's parent.
  static func cgroup(of container: String, below parent: String = cgroup) -> String {
    hasSystemd ? "\(parent)/berth-\(container).scope" : "\(parent)/\(container)"
  }

  private static let driver = hasSystemd ? "[cgroups]\ndriver = \"systemd\"\n" : ""

  /// Whether the kernel enforces a policy of SELinux: then all pods have labels.
  static let hasLabels = (try? Files.read("/sys/fs/selinux/enforce"))?.first == UInt8(ascii: "1")
  static let labels = "[containers]\nselinux = \"enabled\"\n"

  private static let counter = Atomic(0)

  /// Words that berthd's command line comes after.
  private let launcher: [String]

  private init(_ scratch: String, _ launcher: [String]) {
    self.scratch = scratch
    self.launcher = launcher
    number = Self.counter.add(1, ordering: .relaxed).newValue
  }

  var root: String { scratch + "/root" }
  var state: String { scratch + "/state" }
  var socket: String { scratch + "/berth.sock" }
  var logs: String { scratch + "/logs" }
  var networkName: String { "bt\(Process.id % 10_000)n\(number)" }
  var networkConfig: String { scratch + "/cni" }

  /// Runs `body` on a fresh node with berthd serving; afterwards nothing of it may be left on the machine.
  static func with(settings: String = "", launcher: [String] = [], _ body: (Node) async throws -> Void) async throws {
    let before = Leftovers(LeftoverScope(cgroup: cgroup, netnsPrefix: "berth-"))
    try await withScratch("node") { scratch in
      let node = Node(scratch, launcher)
      try node.prepare(settings)
      try await node.start()
      do {
        try await body(node)
      } catch {
        StandardError.write(node.daemonLog())
        await node.cleanUp()
        throw error
      }
      await node.cleanUp { node.expectNoMounts() }
    }
    let left = await before.differences()
    #expect(left == [], "\(left.joined(separator: "\n"))")
  }

  private func prepare(_ settings: String) throws {
    for directory in [root, state, logs, networkConfig] { try Files.makeDirectories(directory) }
    try Files.write(conflist, to: networkConfig + "/10-test.conflist")
    try Files.makeDirectories(scratch + "/config.d")
    try Files.write(Self.driver + (Self.hasLabels ? Self.labels : ""), to: scratch + "/config.d/machine.toml")
    try Files.write("[cni]\nconf_dir = \"\(networkConfig)\"\n" + settings, to: scratch + "/config.toml")
  }

  private var conflist: String {
    let subnet = "10.\(200 + number / 250 % 50).\(number % 250).0/24"
    return """
      {"cniVersion": "1.0.0", "name": "\(networkName)", "plugins": [
        {"type": "bridge", "bridge": "\(networkName)", "isGateway": true,
         "ipam": {"type": "host-local", "dataDir": "\(scratch)/ipam", "ranges": [[{"subnet": "\(subnet)"}]]}},
        {"type": "portmap", "capabilities": {"portMappings": true}}]}
      """
  }

  /// Starts berthd and waits until it serves.
  func start() async throws {
    let command = launcher + [try Programs.path("berthd")]
    let log = try FileHandle.append(to: scratch + "/berthd.log")
    let nothing = try FileHandle.open("/dev/null")
    var spawn = Spawn(
      command[0],
      command.dropFirst() + [
        "--config", scratch + "/config.toml", "--root", root, "--state", state, "--address", socket, "--log-level", "debug",
      ],
      descriptors: [nothing.raw, log.raw, log.raw])
    spawn.environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    let started = spawn
    daemon.withLock { $0 = nil }
    let process = try await BlockingWork.run { try started.start() }
    daemon.withLock { $0 = process }
    try await connect(process)
  }

  private func connect(_ process: Pidfd) async throws {
    for _ in 0..<500 {
      if let client = try? await GRPCClient.connect(unixSocket: socket) {
        let old = connection.withLock { connection in
          defer { connection = client }
          return connection
        }
        await old?.close()
        return
      }
      if process.ended(within: 20) { throw Fault(.unavailable, "berthd ended at its start:\n" + daemonLog()) }
    }
    throw Fault(.deadlineExceeded, "berthd does not serve after 10 s:\n" + daemonLog())
  }

  /// kill -9, and waits until it is gone.
  func kill() async throws {
    guard let process = daemon.withLock({ $0 }) else { return }
    try? process.signal(9)
    await process.ended()
    _ = try? process.reap()
    daemon.withLock { $0 = nil }
  }

  /// berthd's.
  func processID() throws -> Int32 {
    guard let process = daemon.withLock({ $0 }) else { throw Fault(.unavailable, "berthd was not started") }
    return process.pid
  }

  func restart() async throws {
    try await kill()
    try await start()
  }

  func daemonLog() -> String { (try? Files.read(scratch + "/berthd.log")).map { String(decoding: $0, as: UTF8.self) } ?? "" }

  /// Removes all pods, ends berthd, takes down what the network made.
  /// - Parameter look: between the two, before anything is taken away for it.
  private func cleanUp(_ look: () -> Void = {}) async {
    for pod in (try? await pods()) ?? [] { try? await remove(pod: pod.id) }
    for image in (try? await images()) ?? [] { try? await removeImage(image.id) }
    await connection.withLock { $0 }?.close()
    try? await kill()
    look()
    _ = try? await Command.run("/sbin/ip", ["link", "delete", networkName], timeout: .seconds(10))
    try? Mounts.unmountAll(below: state)
    // containerd's shim for runc keeps its containers there, and leaves what they were in.
    try? Files.removeDirectory("/run/containerd/runc/" + Self.foreignNamespace)
    // The pods' parent is the kubelet's to remove.
    if let tree = try? CgroupTree.detect() { try? Cgroup(Self.cgroup, in: tree).remove() }
  }

  /// What pods and images had mounted went with them.
  private func expectNoMounts() {
    let mounts = ((try? MountInfo.read()) ?? []).map(\.mountPoint).filter { $0.hasPrefix(state + "/") || $0.hasPrefix(root + "/") }
    #expect(mounts == [])
  }

  /// Calls a method of the RuntimeService.
  func runtime<Request: Message, Response: Message>(
    _ method: String, _ request: Request, returning: Response.Type = Response.self, timeout: Duration? = .seconds(120)
  ) async throws -> Response {
    try await call("/runtime.v1.RuntimeService/" + method, request, timeout)
  }

  func image<Request: Message, Response: Message>(
    _ method: String, _ request: Request, returning: Response.Type = Response.self, timeout: Duration? = .seconds(120)
  ) async throws -> Response {
    try await call("/runtime.v1.ImageService/" + method, request, timeout)
  }

  private func call<Request: Message, Response: Message>(_ path: String, _ request: Request, _ timeout: Duration?) async throws -> Response
  {
    guard let client = connection.withLock({ $0 }) else { throw Fault(.unavailable, "berthd was not started") }
    return try await client.unary(path, request, timeout: timeout)
  }

  func berth() throws -> GRPCClient {
    guard let client = connection.withLock({ $0 }) else { throw Fault(.unavailable, "berthd was not started") }
    return client
  }
}
