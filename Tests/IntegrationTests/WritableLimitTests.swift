import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Containers that may write so much and no more. By project quotas where the kernel has them (`hack/vm`), which not every build machine does.
@Suite(.serialized) struct WritableLimitTests {
  private static let limit = 32 << 20
  private static let size = "[snapshots]\nwritable_layer_size = \"32MiB\"\n"

  /// Once with a filesystem for each container, and with the quotas of the node's own.
  private func inEachWay(_ settings: String = "", _ body: (Node) async throws -> Void) async throws {
    try await Node.with(settings: Self.size + "writable_layer_backend = \"block\"\n" + settings) { try await prove($0, body) }
    for kind in QuotaFilesystem.allCases { try await withQuotas(kind, settings, body) }
  }

  private func withQuotas(_ kind: QuotaFilesystem, _ settings: String, _ body: (Node) async throws -> Void) async throws {
    let quota = Self.size + "writable_layer_backend = \"quota\"\n"
    try await Node.with { node in
      try await node.kill()
      let found = try await withProjectQuotas(kind, at: node.root) {
        try Files.write(quota + settings, to: node.scratch + "/config.d/limit.toml")
        try await node.start()
        try await prove(node, body)
        try await node.kill()
      }
      if found { return }
      try await expectRefusedSettings(quota, "writable_layer_backend = \"quota\": the filesystem of ")
      try await node.start()
    }
  }

  private func prove(_ node: Node, _ body: (Node) async throws -> Void) async throws {
    try await node.importBusybox("--volume", "/data")
    try await body(node)
    for pod in try await node.pods() { try await node.remove(pod: pod.id) }
    try await expectNothing(node)
  }

  /// Neither snapshot nor file nor mount nor loop device.
  private func expectNothing(_ node: Node) async throws {
    try await eventually("nothing is left") {
      let directory = node.root + "/snapshots"
      let names = try Files.list(directory).filter { $0 != ".blank" }
      let things = try names.flatMap { name in name.hasPrefix(".") ? try Files.list(directory + "/" + name) : [name] }
      let mounts = try MountInfo.read().filter { $0.mountPoint.hasPrefix(directory) }
      let devices = try loopDevices(below: node.root)
      return things.isEmpty && mounts.isEmpty && devices.isEmpty ? true : nil
    }
  }

  private func usage(_ node: Node, _ id: String) async throws -> Int64 {
    let stats = try await node.runtime(
      "ContainerStats", Runtime_V1_ContainerStatsRequest.with { $0.containerID = id }, returning: Runtime_V1_ContainerStatsResponse.self)
    return Int64(stats.stats.writableLayer.usedBytes.value)
  }

  private func count(_ node: Node, _ id: String) async throws -> Int {
    let said = try await node.exec(id, ["cat", "/count"])
    return Int(String(decoding: said.stdout, as: UTF8.self).filter(\.isNumber)) ?? 0
  }

  /// What it is told of the size of `/` (KiB), and what dd and df say when it is full.
  private static let filling = """
    df -k / | tail -1 | tr -s ' ' | cut -d' ' -f2; dd if=/dev/zero of=/big bs=64k 2>&1; dd if=/dev/zero of=/data/big bs=64k 2>&1
    echo full; sleep 1000
    """
  private static let counting = "i=0; while :; do i=$((i+1)); echo $i >/count.new && mv /count.new /count; sleep 0.02; done"

  @Test func `a container that fills its layer gets no more, its neighbour writes on, restarts change nothing`() async throws {
    try await inEachWay { node in
      let pod = try await node.run(try node.podConfig("limited"))
      let counter = try await node.launch("counter", ["sh", "-c", Self.counting], in: pod)
      let full = try await node.launch("full", ["sh", "-c", Self.filling], in: pod)
      let said = try await eventually("it is full") {
        let log = try await node.log(full, of: pod)
        return log.hasSuffix("full\n") ? log : nil
      }
      let shown = try #require(said.split(separator: "\n").first.flatMap { Int($0) }, "\(said)")
      #expect((Self.limit / 1024...Self.limit / 1024 * 51 / 50).contains(shown), "\(said)")
      let refusals = said.split(separator: "\n").filter { $0.contains("No space left on device") || $0.contains("Disk quota exceeded") }
      #expect(refusals.count == 2, "VOLUMEs of images count: \(said)")
      try await eventually("the layer is measured", within: 30) {
        (Self.limit * 9 / 10...Self.limit * 51 / 50).contains(Int(try await usage(node, full))) ? true : nil
      }
      let before = try await count(node, counter)
      try await node.restart()
      try await eventually("the neighbour writes on") { try await count(node, counter) > before ? true : nil }
      #expect(try await node.exec(full, ["dd", "if=/dev/zero", "of=/more", "bs=1M", "count=1"]).exitCode != 0)
      #expect(try await node.exec(full, ["sh", "-c", "rm /big && dd if=/dev/zero of=/more bs=1M count=1"]).exitCode == 0)
      try await node.stop(container: full, timeout: 0)
      try await node.remove(container: full)
      #expect(try Files.list(node.root + "/snapshots").filter { !$0.hasPrefix(".") } == [counter])
      #expect(try await count(node, counter) > before)
    }
  }

  @Test func `a pod with a user namespace has its limit, too`() async throws {
    try await inEachWay { node in
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      let pod = try await node.run(
        try node.podConfig("mapped") {
          $0.linux.securityContext.namespaceOptions.usernsOptions = .with {
            $0.mode = .pod
            $0.uids = [.with { ($0.hostID, $0.containerID, $0.length) = (300_000, 0, 65536) }]
            $0.gids = $0.uids
          }
        })
      let said = try await node.output(
        "echo mine >/file; cat /file; echo mine >/data/file; cat /data/file; dd if=/dev/zero of=/big bs=64k 2>&1; stat -c %u /big", in: pod)
      #expect(said.hasPrefix("mine\nmine\n") && said.hasSuffix("\n0\n"), "\(said)")
      #expect(said.contains("No space left on device") || said.contains("Disk quota exceeded"), "\(said)")
    }
  }

  private static let annotated = """
    writable_layer_backend = "block"
    [runtimes.small]
    path = "/usr/sbin/runc"
    allowed_annotations = ["writable-layer-size.berth.dev"]
    [runtimes.free]
    path = "/usr/sbin/runc"
    writable_layer_size = "0"
    """

  @Test func `an annotation asks for less, where the handler allows it`() async throws {
    try await Node.with(settings: Self.size + Self.annotated) { node in
      try await node.importBusybox()
      let name = "writable-layer-size.berth.dev"
      func shown(_ annotations: [String: String], handler: String = "small") async throws -> Int {
        let pod = try await node.run(try node.podConfig("a\(Int.random(in: 0..<1_000_000))") { $0.annotations = annotations }, handler)
        let said = try await node.output("df -k / | tail -1 | tr -s ' ' | cut -d' ' -f2", in: pod) { $0.metadata.name = "main" }
        try await node.remove(pod: pod)
        return (Int(said.filter(\.isNumber)) ?? 0) >> 10
      }
      #expect(try await shown([:]) == 32)
      #expect(try await shown([name: "20Mi"]) == 20)
      #expect(try await shown([name: "20Mi", name + "/main": "24m", name + "/other": "16m"]) == 24)
      #expect(try await shown([name: "20Mi"], handler: "") == 32)
      #expect(try await shown([:], handler: "free") > 100)
      for (value, reason) in [("much", "is no size"), ("1Mi", "is less than the least"), ("33Mi", "is more than this node allows")] {
        let error = await #expect(throws: GRPCStatus.self) { try await shown([name: value]) }
        #expect(error?.code == .invalidArgument && error?.message.contains("\"\(value)\" \(reason)") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(name) == true)
      }
      for pod in try await node.pods() { try await node.remove(pod: pod.id) }
      try await expectNothing(node)
    }
  }

  @Test func `kill -9 at any moment of making and removing leaves nothing`() async throws {
    try await inEachWay { node in
      for round in 0..<30 {
        let work = Task {
          let pod = try await node.run(try node.podConfig("killed\(round)"))
          let ids = try await (0..<3).asyncMap { try await node.launch("c\($0)", ["sleep", "1000"], in: pod) }
          for id in ids { try await node.remove(container: id) }
        }
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...400)))
        try await node.kill()
        _ = await work.result
        try await node.start()
        for pod in try await node.pods() { try await node.remove(pod: pod.id) }
      }
      try await expectNothing(node)
    }
  }

  @Test func `what cannot be kept is refused at the start`() async throws {
    try await expectRefusedSettings("[snapshots]\nwritable_layer_size = \"much\"\n", "\"snapshots.writable_layer_size\" must be a size")
    try await expectRefusedSettings("[snapshots]\nwritable_layer_size = \"1k\"\n", "\"snapshots.writable_layer_size\" must be 16777216 to")
    try await expectRefusedSettings("[snapshots]\nwritable_layer_backend = \"x\"\n", "must be auto, quota or block")
    try await expectRefusedSettings(
      "[runtimes.runc]\nwritable_layer_size = \"-1\"\n", "\"runtimes.runc.writable_layer_size\" must be a size")
    try await expectRefusedSettings(Self.size + "snapshotter = \"native\"\n", "writable_layer_size: needs overlay snapshots")
    try await expectRefusedSettings(
      Self.size + "[runtimes.copied]\npath = \"/usr/sbin/runc\"\nsnapshotter = \"native\"\n", "pods of runtimes.copied have native ones")
  }
}

extension Sequence {
  fileprivate func asyncMap<T>(_ change: (Element) async throws -> T) async throws -> [T] {
    var changed: [T] = []
    for element in self { changed.append(try await change(element)) }
    return changed
  }
}
