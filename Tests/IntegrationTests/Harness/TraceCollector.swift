import Core
import Linux
import Support
import Testing

/// A collector of traces, of programs that know nothing of Berth (`conformance/traces/collector.py`), on the loopback.
struct TraceCollector: Sendable {
  enum Wire: String, CaseIterable, Sendable { case grpc, http }

  let directory: String
  /// By wire.
  let ports: [Int]
  private let process: Pidfd

  /// - Parameter tls: certificate and key, and where clients need a certificate their authority; paths.
  static func with(tls: [String] = [], _ body: (TraceCollector) async throws -> Void) async throws {
    try await withScratch("collector") { directory in
      let source = "\(#filePath)".replacing("/Tests/IntegrationTests/Harness/TraceCollector.swift", with: "")
      let log = try FileHandle.append(to: directory + "/log")
      let nothing = try FileHandle.open("/dev/null")
      let spawn = Spawn(
        source + "/.build/grpcio/bin/python3", [source + "/conformance/traces/collector.py", directory] + tls,
        descriptors: [nothing.raw, log.raw, log.raw])
      let process = try await BlockingWork.run { try spawn.start() }
      do {
        let ports = try await eventually("the collector listens", within: 60) { () -> [Int]? in
          if process.ended(within: 0) { throw Fault(.unavailable, "the collector ended: \(text(directory + "/log"))") }
          let ports = text(directory + "/ports").split(separator: " ").compactMap { Int($0) }
          return ports.count == 2 ? ports : nil
        }
        try await body(TraceCollector(directory: directory, ports: ports, process: process))
      } catch {
        await end(process)
        throw error
      }
      await end(process)
    }
  }

  private static func end(_ process: Pidfd) async {
    try? process.signal(9)
    await process.ended()
    _ = try? process.reap()
  }

  private static func text(_ path: String) -> String { (try? Files.read(path)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

  func port(_ wire: Wire) -> Int { ports[wire == .grpc ? 0 : 1] }

  /// `[tracing]` of a node that sends here.
  func settings(_ wire: Wire, secure: Bool = false, _ more: String = "") -> String {
    let scheme = secure ? "https" : "http"
    let name = wire == .grpc ? "grpc" : "http/protobuf"
    return "[tracing]\nendpoint = \"\(scheme)://127.0.0.1:\(port(wire))\"\nprotocol = \"\(name)\"\n\(more)\n"
  }

  /// Words before berthd's own: spans are sent at once.
  static let launcher = ["/usr/bin/env", "OTEL_BSP_SCHEDULE_DELAY=50"]

  /// How it is to answer, a line for each request; the last one stays.
  func script(_ lines: String...) throws {
    try Files.replace(directory + "/script", with: Array(lines.joined(separator: "\n").utf8), durable: false)
  }

  /// All that came, as JSON.
  func said() -> String { Self.text(directory + "/spans.jsonl") }

  func spans() throws -> [CollectedSpan] { try lines("spans.jsonl").map { CollectedSpan($0) } }

  /// What was asked and how it was answered.
  func requests() throws -> [JSON] { try lines("requests.jsonl") }

  private func lines(_ file: String) throws -> [JSON] {
    // One that is being written has no end yet.
    let whole = Self.text("\(directory)/\(file)").split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    return try whole.map { try JSON(parsing: Array($0.utf8)) }
  }

  /// Waits until a span of this name has come, and whatever ended before it.
  @discardableResult
  func span(_ name: String, where matches: (CollectedSpan) -> Bool = { _ in true }) async throws -> CollectedSpan {
    try await eventually("a span \(name)", within: 30) { try spans().first { $0.name == name && matches($0) } }
  }
}

/// One span as it arrived.
struct CollectedSpan {
  let json: JSON

  init(_ json: JSON) { self.json = json }

  var name: String { json["name"]?.string ?? "" }
  var trace: String { json["trace"]?.string ?? "" }
  var id: String { json["span"]?.string ?? "" }
  var parent: String { json["parent"]?.string ?? "" }
  var kind: Int { json["kind"]?.integer ?? 0 }
  /// 0, or 2 where it failed.
  var status: Int { json["status"]?.integer ?? -1 }
  var start: Int { json["start"]?.integer ?? 0 }
  var end: Int { json["end"]?.integer ?? 0 }
  var events: [JSON] { json["events"]?.array ?? [] }

  subscript(_ attribute: String) -> String? {
    guard let value = json["attributes"]?[attribute] else { return nil }
    return value.string ?? value.integer.map { "\($0)" } ?? value.bool.map { "\($0)" }
  }
}
