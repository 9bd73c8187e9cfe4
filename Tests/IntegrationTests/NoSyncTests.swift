import CRIAPI
import Core
import Linux
import Testing

/// No waiting on a disk in the pod path: while pods start, nothing but the two background writers syncs anything.
@Suite(.serialized) struct NoSyncTests {
  private static let pods = 100
  /// Their work is on nobody's path: the durable copy of records, and of network attachments.
  private static let calls = [" fsync(", " fdatasync(", " syncfs(", " sync(", " sync_file_range(", " msync("]
  private static let writers = ["berth-records", "berth-cni-sync"]

  @Test(.timeLimit(.minutes(5))) func `a hundred pod starts sync nothing on a request's path`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let output = node.scratch + "/strace"
      let arguments = [
        "-f", "-qq", "--decode-pids=comm", "-e", "trace=fsync,fdatasync,syncfs,sync,sync_file_range,msync", "-o", output, "-p",
        "\(try node.processID())",
      ]
      let spawn = Spawn("/usr/bin/strace", arguments, descriptors: [])
      let strace = try await BlockingWork.run { try spawn.start() }
      try await eventually("strace watches") { Files.exists(output) ? true : nil }
      try await Self.startPods(node)
      try strace.signal(2)
      await strace.ended()
      _ = try strace.reap()
      let lines = String(decoding: try Files.read(output), as: UTF8.self).split(separator: "\n")
        .filter { line in Self.calls.contains { line.contains($0) } }
      let others = lines.filter { line in !Self.writers.contains { line.contains("<\($0)>") } }
      #expect(others.isEmpty, "\(others.prefix(5).joined(separator: "\n"))")
      #expect(lines.contains { line in Self.writers.contains { line.contains("<\($0)>") } }, "strace saw not even the background writers")
    }
  }

  private static func startPods(_ node: Node) async throws {
    for number in 0..<pods {
      let pod = try await node.run(try node.podConfig("sync\(number)"))
      _ = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
      try await node.stop(pod: pod)
      try await node.remove(pod: pod)
    }
  }
}
