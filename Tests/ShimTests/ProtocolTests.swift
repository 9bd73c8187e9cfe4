import FoundationEssentials
import Linux
import ShimAPI
import SwiftProtobuf
import TTRPC
import Testing

/// What arrives on the socket, well-formed or not.
@Suite(.serialized) struct ProtocolTests {
  private static func frame(stream: UInt32, type: UInt8, _ data: [UInt8], length: UInt32? = nil) -> [UInt8] {
    let words = [length ?? UInt32(data.count), stream]
    return words.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } } + [type, 0] + data
  }

  @Test func unknownServicesAndMethodsAreUnimplemented() async throws {
    try await TestPod.withBareShim { pod in
      let nothing = Google_Protobuf_Empty()
      await pod.expect(code: 12) { let _: Google_Protobuf_Empty = try await pod.pod("Nonsense", nothing) }
      await pod.expect(code: 12) { let _: Google_Protobuf_Empty = try await pod.task("Checkpoint", nothing) }
      await pod.expect(code: 12) { let _: Google_Protobuf_Empty = try await pod.client.call("no.Such", "Method", nothing) }
      await pod.expect(code: 5) { try await pod.start("nobody") }
    }
  }

  @Test func anOversizedFrameIsReadPastAndTheConnectionLivesOn() async throws {
    try await TestPod.withBareShim { pod in
      let said = try await TestPod.shell("cd \(pod.directory) && python3 - <<'END'\n\(Self.oversized)\nEND")
      #expect(said == "stream 1: status 8\nstream 3: status 0\n")
    }
  }

  /// A frame of 5 MiB, then a List on the same connection.
  private static let oversized = """
    import socket, struct
    connection = socket.socket(socket.AF_UNIX)
    connection.connect("shim.sock")
    connection.sendall(struct.pack(">IIBB", 5 << 20, 1, 1, 0) + b"x" * (5 << 20))
    request = b"\\x0a\\x11berth.shim.v1.Pod\\x12\\x04List"
    connection.sendall(struct.pack(">IIBB", len(request), 3, 1, 0) + request)
    for _ in range(2):
        length, stream, kind, flags = struct.unpack(">IIBB", connection.recv(10, socket.MSG_WAITALL))
        answer = connection.recv(length, socket.MSG_WAITALL) if length else b""
        print(f"stream {stream}: status {answer[3] if answer[:1] == bytes([10]) else 0}")
    """

  @Test func noiseOnOneConnectionHarmsNoOther() async throws {
    try await TestPod.withBareShim { pod in
      var noise: [[UInt8]] = [
        Self.frame(stream: 1, type: 1, Array("hello".utf8)), Self.frame(stream: 2, type: 1, []), Self.frame(stream: 1, type: 3, []),
        Self.frame(stream: 0, type: 9, []), Self.frame(stream: 1, type: 1, [1, 2, 3], length: .max), [0, 0, 0],
      ]
      var generator = SystemRandomNumberGenerator()
      for _ in 0..<200 { noise.append((0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) }) }
      for method in ["Setup", "Attach", "Create", "Kill", "Exec", "List"] {
        for size in 0..<40 { noise.append(Self.frame(stream: 1, type: 1, Self.request(method, size))) }
      }
      for bytes in noise {
        let socket = try UnixSocket.connect(in: pod.directory, name: "shim.sock")
        try Files.write(bytes, to: socket.raw, "socket")
      }
      #expect(try await pod.list().containers.isEmpty)
      try await pod.eventually("closed connections") { try Files.list("/proc/\(pod.shim.pid)/fd").count < 12 }
    }
  }

  private static func request(_ method: String, _ size: Int) -> [UInt8] {
    var request = Ttrpc_Request()
    request.service = ["Create", "Kill", "Exec"].contains(method) ? "containerd.task.v2.Task" : "berth.shim.v1.Pod"
    request.method = method
    request.payload = .init((0..<size).map { _ in UInt8.random(in: 0...255) })
    return (try? request.serializedBytes()) ?? []
  }

  @Test func everyConnectionMayEndAndThePodLivesOn() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning { id in
        for _ in 0..<20 {
          let client = try await TestPod.connect(pod.directory)
          let waiting = Task {
            let request = Containerd_Task_V3_WaitRequest.with { $0.id = id }
            return try await client.call("containerd.task.v2.Task", "Wait", request, answer: Containerd_Task_V3_WaitResponse.self)
          }
          let _: Berth_Shim_V1_ListResponse = try await client.call("berth.shim.v1.Pod", "List", Berth_Shim_V1_ListRequest())
          client.close()
          _ = try? await waiting.value
        }
        #expect(try await pod.list().containers.first?.phase == .running)
      }
    }
  }

  @Test func aSlowCallHoldsUpNoOtherOnTheSameConnection() async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(TestContainer("sleep", "1000"))
      try await pod.start(id)
      let end = Task { try await pod.wait(id) }
      let slow = Task { try await pod.exec(id, "sleep 0.5; echo slow") }
      for _ in 0..<50 { _ = try await pod.list() }
      #expect(try await slow.value.stdout == .init("slow\n".utf8))
      try await pod.kill(id)
      #expect(try await end.value == 137)
      try await pod.delete(id)
    }
  }

  @Test func requestsThatNameNoUsablePathAreRefused() async throws {
    try await TestPod.withBareShim { pod in
      for change in Self.badCreates {
        var options = Berth_Shim_V1_CreateOptions.with {
          $0.runtime = "/usr/sbin/runc"
          $0.runtimeRoot = "/r"
        }
        var request = Containerd_Task_V3_CreateTaskRequest.with {
          $0.id = "c1"
          $0.bundle = "/b"
        }
        change(&request, &options)
        request.options.typeURL = "berth.shim.v1.CreateOptions"
        request.options.value = try options.serializedBytes()
        await pod.expect(code: 3) { let _: Containerd_Task_V3_CreateTaskResponse = try await pod.task("Create", request) }
      }
    }
  }

  private typealias Change = @Sendable (inout Containerd_Task_V3_CreateTaskRequest, inout Berth_Shim_V1_CreateOptions) -> Void
  private static let badCreates: [Change] = [
    { request, _ in request.id = "../x" }, { request, _ in request.id = "" }, { request, _ in request.bundle = "relative" },
    { _, options in options.runtime = "runc" }, { _, options in options.cgroup = "/" }, { _, options in options.cgroup = "/a/../.." },
    { _, options in options.logPath = "log" }, { _, options in options.rootfs.lower = [] }, { _, options in options.rootfs.lower = ["x"] },
    { _, options in
      options.rootfs = .with {
        $0.lower = ["/l"]; $0.upper = "/u"
      }
    },
  ]
}
