import Core
import Linux

/// A program that prints a line an event until it is ended: Debian's `ctr events`, or `berth events`.
final class EventPrinter: Sendable {
  struct Line: Sendable {
    let namespace: String
    let topic: String
    let content: JSON

    /// A text of the content.
    subscript(_ name: String) -> String? { content[name]?.string }
  }

  private let process: Pidfd
  private let output: String

  private init(_ process: Pidfd, _ output: String) {
    self.process = process
    self.output = output
  }

  /// Runs it, and returns once it is told of what happens.
  static func start(_ node: Node, _ path: String, _ arguments: [String]) async throws -> EventPrinter {
    let output = "\(node.scratch)/events-\(Int.random(in: 0..<1_000_000_000))"
    let file = try FileHandle.append(to: output)
    let nothing = try FileHandle.open("/dev/null")
    var spawn = Spawn(path, arguments, descriptors: [nothing.raw, file.raw, file.raw])
    spawn.environment = ["PATH=/usr/bin:/bin"]
    let started = spawn
    let printer = EventPrinter(try await BlockingWork.run { try started.start() }, output)
    do { try await printer.awaitFirst(node) } catch {
      await printer.end()
      throw error
    }
    return printer
  }

  /// Of several filters one must hold: what is published at first passes, too.
  private static func widened(_ filters: [String]) -> [String] { filters.isEmpty ? [] : filters + ["topic==\"/test/first\""] }

  static func ctr(_ node: Node, _ filters: String...) async throws -> EventPrinter {
    try await start(node, "/usr/bin/ctr", ["--address", node.socket, "--namespace", "k8s.io", "events"] + widened(filters))
  }

  static func berth(_ node: Node, _ filters: String...) async throws -> EventPrinter {
    try await start(node, try Programs.path("berth"), ["events", "--address", node.socket] + widened(filters))
  }

  /// Publishes until it is printed.
  private func awaitFirst(_ node: Node) async throws {
    try await eventually("\(output) has a first event") {
      if process.ended(within: 0) { throw Fault(.unavailable, "it ended: \(text)") }
      try await node.publish("/test/first", in: "k8s.io")
      return text.contains(" /test/first ") ? true : nil
    }
  }

  var text: String { (try? Files.read(output)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

  /// What it printed since the first event, without what is no event of Berth's.
  var lines: [Line] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard let index = words.firstIndex(where: { $0.hasPrefix("/") }), index > 0, words[index] != "/test/first" else { return nil }
      let content = words[(index + 1)...].joined(separator: " ")
      return Line(
        namespace: String(words[index - 1]), topic: String(words[index]), content: (try? JSON(parsing: Array(content.utf8))) ?? .null)
    }
  }

  func lines(of topics: String...) -> [Line] { lines.filter { topics.contains($0.topic) } }

  /// Waits for an event.
  @discardableResult
  func awaits(_ topic: String, _ matches: (Line) -> Bool = { _ in true }) async throws -> Line {
    do { return try await eventually("an event \(topic)") { lines.first { $0.topic == topic && matches($0) } } } catch {
      throw Fault(.deadlineExceeded, "no event \(topic) in:\n\(text)")
    }
  }

  func end() async {
    try? process.signal(15)
    await process.ended()
    _ = try? process.reap()
  }
}
