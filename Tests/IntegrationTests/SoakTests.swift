import CRIAPI
import Core
import Linux
import Support
import SwiftProtobuf
import Testing

/// Many containers after each other: what berthd has open and holds in memory does not depend on how many there were.
/// `hack/soak-containers` runs it with hundreds.
@Suite(.serialized, .timeLimit(.minutes(60))) struct SoakTests {
  private struct Footprint: CustomStringConvertible {
    var descriptors = 0
    var threads = 0
    /// Kilobytes that are berthd's alone: its heap and stacks.
    var anonymous = 0

    init(_ pid: Int32) throws {
      descriptors = try Files.list("/proc/\(pid)/fd").count
      threads = try Files.list("/proc/\(pid)/task").count
      for line in String(decoding: try Files.read("/proc/\(pid)/smaps_rollup"), as: UTF8.self).split(separator: "\n")
      where line.hasPrefix("Anonymous:") {
        anonymous = Int(line.split(separator: " ")[1]) ?? 0
      }
    }

    var description: String { "\(descriptors) descriptors, \(threads) threads, \(anonymous) kB" }
  }

  private func use(_ node: Node, _ pod: String, _ number: Int) async throws {
    let id = try await node.launch("c\(number)", ["sh", "-c", "echo hello; exec sleep 1000"], in: pod)
    #expect(try await node.exec(id, ["true"]).exitCode == 0)
    try await node.stop(container: id, timeout: 0)
    try await node.remove(container: id)
  }

  /// Pods come and go with the containers, five in each.
  private func use(_ node: Node, _ count: Int, from first: Int) async throws {
    for round in 0..<(count + 4) / 5 {
      let pod = try await node.run(try node.podConfig("soak-\(first)-\(round)"))
      for number in 0..<5 { try await use(node, pod, number) }
      try await node.remove(pod: pod)
    }
  }

  @Test func `containers that came and went leave no descriptor, thread or memory behind in berthd`() async throws {
    let count = Load.number("BERTH_SOAK_CONTAINERS", usual: 30)
    try await Node.with { node in
      try await node.importBusybox()
      let pid = try node.processID()
      try await use(node, max(20, count / 5), from: 0)
      let before = try await settled(pid, atMost: nil)
      var figures = ["before: \(before)"]
      for part in 1...3 {
        try await use(node, (count + 2) / 3, from: part)
        let after = try await settled(pid, atMost: before.descriptors)
        figures.append("after \(part * ((count + 2) / 3)): \(after)")
        #expect(after.descriptors <= before.descriptors, "\(figures)")
        #expect(after.threads <= before.threads + 2, "\(figures)")
      }
      StandardError.write(figures.joined(separator: "\n") + "\n")
      // Heaps fragment; what leaks grows with every container: 10 kB each would show.
      let grown = try Footprint(pid).anonymous - before.anonymous
      #expect(grown < max(2048, count * 10), "\(figures)")
      #expect(try await node.containers().isEmpty)
    }
  }

  /// When what the last removals still had open is closed.
  private func settled(_ pid: Int32, atMost descriptors: Int?) async throws -> Footprint {
    var last = try Footprint(pid)
    for _ in 0..<50 {
      try await Task.sleep(for: .milliseconds(100))
      let now = try Footprint(pid)
      if let descriptors, now.descriptors <= descriptors { return now }
      if descriptors == nil, now.descriptors == last.descriptors { return now }
      last = now
    }
    return last
  }
}
