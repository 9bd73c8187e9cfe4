import FoundationEssentials
import Linux
import ShimAPI
import Support
import SwiftProtobuf
import TTRPC
import Testing

/// One container to be: the fields of its spec and request that tests vary.
struct TestContainer {
  var arguments: [String]
  var runtime = "/usr/sbin/runc"
  var terminal = false
  var sharesPID = false
  var memory: Int64?
  /// Nil is `<bundle>/log`.
  var log: String?
  var lower: String?
  var logLineLimit: UInt32 = 0

  init(_ arguments: String...) { self.arguments = arguments }
  static func shell(_ script: String) -> TestContainer { TestContainer("sh", "-c", script) }
}

extension TestPod {
  /// Begins a container and returns its id.
  func create(_ container: TestContainer) async throws -> String {
    let id = "c" + String(UInt32.random(in: 0...UInt32.max), radix: 16)
    let bundle = bundle(id)
    for name in ["rootfs", "upper", "work"] { try Files.makeDirectories("\(bundle)/\(name)") }
    let holder = try await list().holderPid
    try Files.write(spec(container, id, holder), to: bundle + "/config.json")
    let request = try Containerd_Task_V3_CreateTaskRequest.with {
      $0.id = id
      $0.bundle = bundle
      $0.terminal = container.terminal
      $0.options.typeURL = "berth.shim.v1.CreateOptions"
      $0.options.value = try options(container, id).serializedBytes()
    }
    let _: Containerd_Task_V3_CreateTaskResponse = try await task("Create", request)
    return id
  }

  func bundle(_ id: String) -> String { "\(directory)/containers/\(id)" }

  private func options(_ container: TestContainer, _ id: String) -> Berth_Shim_V1_CreateOptions {
    .with {
      $0.runtime = container.runtime
      $0.runtimeRoot = runtimeRoot
      $0.logPath = container.log ?? bundle(id) + "/log"
      $0.cgroup = "\(cgroup)/\(id)"
      $0.logLineLimit = container.logLineLimit
      $0.sharesPid = container.sharesPID
      $0.rootfs.lower = [container.lower ?? lower]
      $0.rootfs.upper = bundle(id) + "/upper"
      $0.rootfs.work = bundle(id) + "/work"
      $0.rootfs.options = ["volatile"]
    }
  }

  private func spec(_ container: TestContainer, _ id: String, _ holder: UInt32) -> String {
    let pid = container.sharesPID ? #"{"type":"pid","path":"/proc/\#(holder)/ns/pid"}"# : #"{"type":"pid"}"#
    let shared = ["network:net", "ipc:ipc", "uts:uts"].map { pair in
      let names = pair.split(separator: ":")
      return #"{"type":"\#(names[0])","path":"/proc/\#(holder)/ns/\#(names[1])"}"#
    }
    let memory = container.memory.map { #""memory":{"limit":\#($0)}"# } ?? ""
    return """
      {"ociVersion":"1.0.2","process":\(Self.process(container.arguments, terminal: container.terminal)),"root":{"path":"rootfs"},
      "mounts":[{"destination":"/proc","type":"proc","source":"proc"},
      {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=755","size=65536k"]},
      {"destination":"/dev/pts","type":"devpts","source":"devpts","options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620"]}],
      "linux":{"cgroupsPath":"\(cgroup)/\(id)","namespaces":[{"type":"mount"},\(pid),\(shared.joined(separator: ","))],
      "resources":{\(memory)}}}
      """
  }

  /// An OCI `process` object.
  static func process(_ arguments: [String], terminal: Bool = false) -> String {
    let list = (try? JSONEncoder().encode(arguments)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    return #"{"terminal":\#(terminal),"user":{"uid":0,"gid":0},"args":\#(list),"env":["PATH=/bin"],"cwd":"/"}"#
  }

  func start(_ id: String) async throws {
    let _: Containerd_Task_V3_StartResponse = try await task("Start", Containerd_Task_V3_StartRequest.with { $0.id = id })
  }

  func wait(_ id: String) async throws -> UInt32 {
    let answer: Containerd_Task_V3_WaitResponse = try await task("Wait", Containerd_Task_V3_WaitRequest.with { $0.id = id })
    return answer.exitStatus
  }

  func kill(_ id: String, _ signal: UInt32 = 9, all: Bool = false) async throws {
    let request = Containerd_Task_V3_KillRequest.with {
      $0.id = id
      $0.signal = signal
      $0.all = all
    }
    let _: Google_Protobuf_Empty = try await task("Kill", request)
  }

  func delete(_ id: String) async throws {
    let _: Containerd_Task_V3_DeleteResponse = try await task("Delete", Containerd_Task_V3_DeleteRequest.with { $0.id = id })
  }

  /// Creates, starts, and waits for the end: id and exit code. Not deleted.
  func run(_ container: TestContainer) async throws -> (id: String, code: UInt32) {
    let id = try await create(container)
    try await start(id)
    return (id, try await wait(id))
  }

  /// A container that runs until the end of `body`.
  func withRunning(_ container: TestContainer = TestContainer("sleep", "1000"), _ body: (String) async throws -> Void) async throws {
    let id = try await create(container)
    try await start(id)
    try await body(id)
    try await kill(id)
    _ = try await wait(id)
    try await delete(id)
  }

  /// The log's records as `(stream, tag, content)`.
  func records(_ path: String) throws -> [(stream: String, tag: String, content: [UInt8])] {
    try Files.read(path, limit: 1 << 30).split(separator: 10).map { line in
      let words = line.split(separator: 32, maxSplits: 3, omittingEmptySubsequences: false)
      try #require(words.count == 4)
      let time = String(decoding: words[0], as: UTF8.self)
      #expect(time.count == 30 && time.hasSuffix("Z") && time.dropFirst(19).first == ".", "\(time)")
      return (String(decoding: words[1], as: UTF8.self), String(decoding: words[2], as: UTF8.self), Array(words[3]))
    }
  }

  /// All that a stream said, as text.
  func said(_ id: String, _ stream: String = "stdout") throws -> String {
    try records(bundle(id) + "/log").filter { $0.stream == stream }.map {
      String(decoding: $0.content, as: UTF8.self) + ($0.tag == "F" ? "\n" : "")
    }.joined()
  }

  /// The call must fail with this gRPC code; returns its message.
  @discardableResult
  func expect(code: Int32, sourceLocation: SourceLocation = #_sourceLocation, _ call: () async throws -> Void) async -> String {
    do {
      try await call()
      Issue.record("no error", sourceLocation: sourceLocation)
    } catch let error as TTRPCError {
      #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
      return error.message
    } catch {
      Issue.record(error, sourceLocation: sourceLocation)
    }
    return ""
  }

  /// Waits until `condition` holds.
  func eventually(_ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("not within 20 s: \(what)", sourceLocation: sourceLocation)
  }

  /// Whether any process on the machine has exactly this command line.
  func isRunning(_ command: String) -> Bool { ProcessTable.all().contains { ProcessTable.commandLine($0) == command } }
}
