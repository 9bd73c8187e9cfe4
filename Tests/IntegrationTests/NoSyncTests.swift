import CRIAPI
import Core
import Linux
import Testing

/// No waiting on a disk in the pod path: while pods start, nothing but the two background writers syncs anything.
@Suite(.serialized) struct NoSyncTests {
  private static let pods = 100
  /// Their work is on nobody's path: the durable copy of records, and of network attachments.
  private static let writers = ["berth-records", "berth-cni-sync"]

  /// The thread's name in a line like `123<berth-records> fdatasync(11) = 0`; `nil` in a line about a signal, a clone or an exit.
  private static func syncingThread(in line: Substring) -> String? {
    guard let open = line.utf8.firstIndex(of: UInt8(ascii: "<")), let close = line.utf8.lastIndex(of: UInt8(ascii: ">")), open < close,
      let call = line[close...].split(separator: " ").dropFirst().first, call.utf8.contains(UInt8(ascii: "(")), !call.hasPrefix("?")
    else { return nil }
    return String(line[line.utf8.index(after: open)..<close])
  }

  @Test(.timeLimit(.minutes(5))) func `a hundred pod starts sync nothing on a request's path`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let output = node.scratch + "/strace"
      let arguments = [
        "-f", "-qq", "--decode-pids=comm", "-e", "trace=fsync,fdatasync,syncfs,sync,sync_file_range,msync", "-o", output, "-p",
        "\(try node.processID())",
      ]
      let nothing = try FileHandle.append(to: "/dev/null")
      let spawn = Spawn("/usr/bin/strace", arguments, descriptors: [nothing.raw, nothing.raw, nothing.raw])
      let strace = try await BlockingWork.run { try spawn.start() }
      try await eventually("strace watches") { Files.exists(output) ? true : nil }
      try await Self.startPods(node)
      try strace.signal(2)
      await strace.ended()
      _ = try strace.reap()
      let trace = String(decoding: try Files.read(output), as: UTF8.self)
      let synced = trace.split(separator: "\n").compactMap { Self.syncingThread(in: $0) }
      #expect(synced.filter { !Self.writers.contains($0) } == [])
      #expect(synced.contains(Self.writers[0]), "strace saw not even the background writers: \(trace.prefix(600))")
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
