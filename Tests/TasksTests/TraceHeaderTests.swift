import CLinux
import Core
import Linux
import ShimAPI
import Support
import SwiftProtobuf
import Synchronization
import Testing

@testable import Tasks

/// Records every trace.
private final class EveryTrace: Tracer {
  let limits = SpanLimits()
  let takesParents = true
  private let all = Mutex<[SpanRecord]>([])

  var spans: [SpanRecord] { all.withLock { $0 } }
  func samples(_ trace: TraceID, parent: TraceContext?) -> Bool { true }
  func ended(_ span: SpanRecord) { all.withLock { $0.append(span) } }
}

/// What a shim is told of the trace that a call is a part of.
@Suite(.serialized) struct TraceHeaderTests {
  /// Answers one call with nothing; what the call said.
  private static func answerOne(_ listener: borrowing FileHandle) throws -> Ttrpc_Request {
    let peer = FileHandle(owning: try check("accept") { accept(listener.raw, __SOCKADDR_ARG(), nil) })
    let head = try receive(10, from: peer)
    let length = head[..<4].reduce(0) { $0 << 8 | Int($1) }
    let request = try Ttrpc_Request(serializedBytes: try receive(length, from: peer))
    // No payload for the same stream; 2 is an answer.
    let answer = [0, 0, 0, 0] + head[4..<8] + [2, 0]
    try check("write") { answer.withUnsafeBytes { write(peer.raw, $0.baseAddress, $0.count) } }
    return request
  }

  private static func receive(_ count: Int, from peer: borrowing FileHandle) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = try check("recv") { bytes.withUnsafeMutableBytes { recv(peer.raw, $0.baseAddress, $0.count, Int32(MSG_WAITALL)) } }
    try #require(got == count)
    return bytes
  }

  /// The metadata of a call that `call` makes.
  private func metadata(_ call: (ShimClient) async throws -> Void) async throws -> [String: String] {
    try await withScratch("traced") { scratch in
      let listener = try UnixSocket.listen(in: scratch, name: ShimFiles.socketName)
      let process = try await BlockingWork.run { try Spawn("/bin/sleep", ["1000"], descriptors: [-1, -1, -1]).start() }
      let shim = Task { [listener = listener.release()] in
        try await BlockingWork.run { try Self.answerOne(FileHandle(owning: listener)) }
      }
      let client = ShimClient(ShimFiles(directory: scratch), process, ShimLimits())
      try await call(client)
      let request = try await shim.value
      try process.signal(9)
      await process.ended()
      return Dictionary(uniqueKeysWithValues: request.metadata.map { ($0.key, $0.value) })
    }
  }

  @Test func `each call names its own span and the caller's trace, with its state`() async throws {
    let tracer = EveryTrace()
    Tracing.use(tracer)
    defer { Tracing.use(nil) }
    let trace = "0af7651916cd43dd8448eb211c80319c"
    let parent = try #require(TraceContext(parents: ["00-\(trace)-b7ad6b7169203331-01"], states: ["vendor=x"]))
    let root = try #require(Span.root("call", .server, parent: parent))
    let metadata = try await metadata { client in try await root.run { _ = try await client.list() } }
    let span = try #require(tracer.spans.first { $0.name == "berth.shim.v1.Pod/List" })
    #expect(metadata == ["traceparent": "00-\(trace)-\(span.context.span)-01", "tracestate": "vendor=x"])
    #expect(span.parent == root.context.span && span.kind == .client)
  }

  @Test func `without a trace nothing is said of one`() async throws {
    #expect(try await metadata { _ = try await $0.list() } == [:])
  }
}
