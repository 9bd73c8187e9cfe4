import Linux
import Support
import Testing

@testable import berth

@Suite struct CheckTests {
  /// A node whose files are below a directory, with a kernel that can do everything.
  static func node(_ root: String, files: [String: String] = [:], without missing: [KernelFeature: Int32] = [:]) throws -> Node {
    let defaults = [
      "/proc/sys/kernel/osrelease": "6.12.1-arch\n", "/proc/filesystems": "nodev\ttmpfs\nnodev\toverlay\n", "/usr/sbin/runc": "",
      "/sbin/iptables": "",
      "/proc/sys/net/ipv4/ip_forward": "1\n", "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
      "/proc/self/mountinfo": """
      1 0 8:1 / / rw - ext4 /dev/sda rw
      2 1 0:2 / /run rw - tmpfs tmpfs rw
      3 1 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
      """,
      "/etc/cni/net.d/10-net.conflist": #"{"name":"pods","plugins":[{"type":"bridge"},{"type":"portmap"}]}"#,
      "/usr/lib/cni/bridge": "", "/opt/cni/bin/portmap": "",
    ]
    for (path, text) in defaults.merging(files, uniquingKeysWith: { $1 }) {
      try Files.makeDirectories(Files.parent(of: root + path))
      try Files.write(text, to: root + path)
    }
    return Node(
      root: root, isRoot: true, kernel: { feature in missing[feature].map { SystemError($0, call: feature.rawValue) } },
      run: { _, _ in "runc version 1.1.5\n" })
  }

  static func findings(_ node: Node) async -> [Finding] { await NodeChecks().findings(node) }

  static func bad(_ node: Node) async -> [String] {
    await findings(node).filter { $0.verdict != .good }.map { "\($0.verdict.rawValue) \($0.subject)" }
  }

  @Test func aFitNodeHasNothingToComplainOf() async throws {
    try await withScratch { directory in
      let node = try Self.node(directory)
      #expect(await Self.bad(node) == [])
    }
  }

  @Test(arguments: [
    (["/proc/sys/kernel/osrelease": "4.19.0\n"], ["✗ kernel"]),
    (["/proc/filesystems": "nodev\ttmpfs\n"], ["✗ overlay"]),
    (["/sys/fs/cgroup/cgroup.controllers": "cpu cpuset\n"], ["✗ cgroups", "! cgroups"]),
    (["/proc/sys/net/ipv4/ip_forward": "0\n"], ["! ip_forward"]),
    (["/proc/sys/net/bridge/bridge-nf-call-iptables": "0\n"], ["! bridge"]),
    (["/etc/cni/net.d/10-net.conflist": "{}"], ["✗ CNI"]),
    (["/etc/cni/net.d/05-first.conf": #"{"name":"x","type":"ghost"}"#], ["✗ CNI"]),
    (["/proc/self/mountinfo": "1 0 8:1 / / rw - overlay overlay rw\n2 1 0:2 / /run rw - tmpfs tmpfs rw\n"], ["✗ cgroups", "✗ storage"]),
  ]) func whatIsWrongIsNamed(files: [String: String], bad: [String]) async throws {
    try await withScratch { directory in
      let node = try Self.node(directory, files: files)
      #expect(await Self.bad(node) == bad)
    }
  }

  @Test func aMissingFeatureOfTheKernelIsNamedWithItsAnswer() async throws {
    try await withScratch { directory in
      let node = try Self.node(directory, without: [.clone3: 38, .overlayAppend: 22])
      #expect(await Self.bad(node) == ["✗ clone3"])
      #expect(await Self.findings(node).contains { $0.line.contains("up to 200 layers") })
      #expect(await Self.findings(node).contains { $0.line.contains("clone3: Function not implemented") })
    }
  }

  @Test func runcIsFoundAndMustStart() async throws {
    try await withScratch { directory in
      var node = try Self.node(directory)
      node.run = { _, _ in nil }
      #expect(await Self.bad(node) == ["✗ runc"])
      try Files.remove(directory + "/usr/sbin/runc")
      #expect(await Self.findings(node).contains { $0.line.contains("apt-get install runc") })
    }
  }

  @Test(arguments: [
    ("1 0 0:1 / /sys/fs/cgroup rw - cgroup2 c rw", CgroupChecks.Layout.unified),
    ("1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup c rw,memory", .legacy),
    ("1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup c rw,memory\n1 0 0:1 / /sys/fs/cgroup/unified rw - cgroup2 c rw", .hybrid),
    ("1 0 0:1 / /sys/fs/cgroup/systemd rw - cgroup c rw,name=systemd", .none), ("", .none),
  ]) func theCgroupLayoutIsReadFromTheMounts(text: String, layout: CgroupChecks.Layout) {
    #expect(CgroupChecks.layout(text.split(separator: "\n").compactMap(MountEntry.init(mountinfo:))) == layout)
  }

  @Test func theTopmostOfTheLongestMountsCounts() {
    let mounts = [
      "1 0 0:1 / / rw - ext4 a rw", "2 1 0:1 / /var rw - xfs b rw", "3 1 0:1 / /var rw - btrfs c rw", "4 1 0:1 / /va rw - nfs d rw",
    ]
    #expect(StorageChecks.mount(of: "/var/lib", mounts.compactMap { MountEntry(mountinfo: $0[...]) })?.type == "btrfs")
  }

  @Test func versionsAreComparedAsNumbers() {
    #expect(VersionNumber(5, 9) < VersionNumber(5, 15))
    #expect(VersionNumber("6.18.44-fc") == VersionNumber(6, 18, 44))
    #expect(VersionNumber("x") == nil)
  }
}
