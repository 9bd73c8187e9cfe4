import BerthAPI
import CRIAPI
import Core
import Linux
import OCI
import Support
import Testing

/// The node loses its power in the middle of pulls: what it lists afterwards is whole.
///
/// berthd's root is an ext4 of its own, which is stopped at a random moment as a power cut stops it (`EXT4_IOC_SHUTDOWN` without writing the
/// journal out): what was not on the device by then is gone, and mounting it again replays its journal.
@Suite(.serialized) struct PowerCutTests {
  /// `hack/soak-pulls` makes it many.
  private static let cuts = Load.number("BERTH_POWER_CUTS", usual: 8)

  private static func image(_ word: String) async throws -> ServedImage {
    var layers: [PackedLayer] = []
    for number in 0..<4 {
      // Few files are synced one by one, many with their filesystem: both ways.
      let files = number % 2 == 0 ? 12 : 90
      let entries = (0..<files).map { file in
        Tar.Entry.file("opt/\(word)\(number)/\(file)", bytes: (0..<20_000).map { _ in UInt8.random(in: 0...255) })
      }
      layers.append(try await PackedLayer([.directory("opt"), .directory("opt/\(word)\(number)")] + entries, .gzip))
    }
    return ServedImage(layers)
  }

  @Test(.timeLimit(.minutes(10)), arguments: [false, true])
  func `after power cuts in the middle of pulls every listed image is whole`(keeping: Bool) async throws {
    let images = ["first": try await Self.image("first"), "second": try await Self.image("second")]
    try await withLocalRegistry { registry in
      for (name, image) in images { try registry.add(image, to: "test/\(name)", tag: "1") }
      let names = images.keys.sorted().map { registry.authority + "/test/\($0):1" }
      try await Node.with(settings: "[images]\nkeep_layer_blobs = \(keeping)\n") { node in
        try await node.kill()
        let disk = try await ExtDisk(node.scratch + "/disk", at: node.root)
        do { try await Self.cut(node, disk, names) } catch {
          try await node.kill()
          try await disk.remove()
          throw error
        }
        try await node.kill()
        try await disk.remove()
        try await node.start()
      }
    }
  }

  private static func cut(_ node: Node, _ disk: ExtDisk, _ names: [String]) async throws {
    try await node.start()
    var listed = 0
    for round in 0..<cuts {
      let pulls = names.map { name in Task { _ = try? await node.pull(name) } }
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...400)))
      try await disk.cutPower()
      try await node.kill()
      for pull in pulls { await pull.value }
      try Mounts.unmountAll(below: node.state)
      try Files.removeTree(node.state)
      try Files.makeDirectories(node.state)
      try await disk.mountAgain()
      try await node.start()
      listed += try await node.expectWhole()
      _ = try await node.pull(names[round % names.count])
      _ = try await node.expectWhole()
      if round % 2 == 1 { try await node.expectNothing(of: names) }
    }
    for name in names { _ = try await node.pull(name) }
    let count = try await node.expectWhole()
    #expect(count == names.count)
    print("power cuts: \(cuts), images listed after them: \(listed)")
  }
}

/// A small ext4 in a file.
private struct ExtDisk {
  let file: String
  let path: String

  /// Made anew and mounted.
  init(_ file: String, at path: String) async throws {
    self.file = file
    self.path = path
    try await Self.run("/usr/bin/truncate", "-s", "400M", file)
    try await Self.run("/sbin/mkfs.ext4", "-qF", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", file)
    try await mountAgain()
  }

  func mountAgain() async throws { try await Self.run("/bin/mount", "-o", "loop", file, path) }

  /// Nothing reaches the device from here on; the mount goes as well.
  func cutPower() async throws {
    let shutdown = "import fcntl,os,struct,sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))"
    try await Self.run("/usr/bin/python3", "-c", shutdown, path)
    try await Self.run("/bin/umount", "-l", path)
  }

  func remove() async throws {
    try await Self.run("/bin/umount", path)
    try Files.remove(file)
  }

  private static func run(_ program: String, _ arguments: String...) async throws {
    let output = try await Command.run(
      program, arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], timeout: .seconds(60))
    guard output.succeeded else {
      throw Fault(.internal, "\(program) \(arguments): " + String(decoding: output.stderr + output.stdout, as: UTF8.self))
    }
  }
}
