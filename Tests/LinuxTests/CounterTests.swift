import Linux
import Support
import Testing

/// What cgroups count, from trees recorded on machines with each layout.
@Suite struct CounterTests {
  @Test func `pressure is read with its averages, and a text without any is none`() throws {
    let text = "some avg10=1.25 avg60=0.05 avg300=100.00 total=123456\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
    let pressure = try #require(Pressure(Array(text.utf8)))
    #expect(pressure.some.average10 == 1.25 && pressure.some.average60 == 0.05 && pressure.some.average300 == 100)
    #expect(pressure.some.total == 123_456 && pressure.full.total == 7)
    #expect(Pressure([]) == nil)
    #expect(Pressure(Array("full total=1".utf8)) == nil)
  }

  @Test func `interfaces are read, the longest names too`() {
    let text = """
      Inter-|   Receive                                                |  Transmit
       face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
          lo:     840      10    0    0    0     0          0         0      840      10    0    0    0     0       0          0
      averylongname0:18446744073709551615 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0
      """
    let interfaces = NetworkCounters.parse(Array(text.utf8))
    #expect(interfaces.map(\.name) == ["averylongname0", "lo"])
    #expect(interfaces[0].receivedBytes == .max && interfaces[0].receivedPackets == 2 && interfaces[0].receiveErrors == 3)
    #expect(
      interfaces[0].receiveDrops == 4 && interfaces[0].sentBytes == 5 && interfaces[0].sendErrors == 7 && interfaces[0].sendDrops == 8)
    #expect(interfaces[1].sentBytes == 840)
  }

  @Test func `soft limits have the names that metrics give them`() {
    let text = """
      Limit                     Soft Limit           Hard Limit           Units
      Max cpu time              unlimited            unlimited            seconds
      Max open files            1024                 524288               files
      Max realtime timeout      unlimited            unlimited            us
      """
    let limits = ProcessCounters.softLimits(Array(text.utf8))
    #expect(limits.map(\.name) == ["max_cpu_time", "max_open_files", "max_realtime_timeout"])
    #expect(limits.map(\.limit) == [nil, 1024, nil])
  }

  private static let unified = "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw"
  private static let legacy = """
    32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
    33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct
    34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
    35 31 0:32 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
    36 31 0:33 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio
    37 31 0:34 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
    38 31 0:35 / /sys/fs/cgroup/hugetlb rw - cgroup cgroup rw,hugetlb
    """
  private static let hybrid = legacy + "\n39 31 0:36 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"

  /// A tree with these files, paths below /sys/fs/cgroup.
  private func recorded(_ mounts: String, _ files: [String: String], _ body: (CgroupReader, String) throws -> Void) throws {
    try withScratch("counters") { scratch in
      let tree = CgroupTree(mounts: mounts.split(separator: "\n").compactMap { MountInfo(line: $0) }, root: scratch)
      for hierarchy in tree.hierarchies { try Files.makeDirectories(hierarchy.mountPoint) }
      for (name, text) in files {
        let path = "\(scratch)/sys/fs/cgroup/\(name)"
        try Files.makeDirectories(Files.parent(of: path))
        try Files.write(text, to: path)
      }
      try body(CgroupReader(tree), scratch + "/sys/fs/cgroup")
    }
  }

  private static let legacyFiles = [
    "cpuacct/p/c/cpuacct.usage": "1500000000\n", "cpuacct/p/c/cpuacct.stat": "user 120\nsystem 30\n",
    "cpu/p/c/cpu.stat": "nr_periods 10\nnr_throttled 3\nthrottled_time 77000000\n",
    "cpu/p/c/cpu.cfs_period_us": "100000\n", "memory/p/c/memory.usage_in_bytes": "8000000\n",
    "memory/p/c/memory.limit_in_bytes": "16777216\n", "memory/p/c/memory.memsw.limit_in_bytes": "20971520\n",
    "memory/p/c/memory.stat":
      "cache 1\npgfault 5\npgmajfault 1\ntotal_cache 3000000\ntotal_rss 4000000\ntotal_mapped_file 1000\ntotal_swap 4096\n"
      + "total_pgfault 900\ntotal_pgmajfault 2\ntotal_inactive_file 2000000\ntotal_active_file 500000\n",
    "memory/p/c/memory.max_usage_in_bytes": "9000000\n", "memory/p/c/memory.failcnt": "4\n",
    "memory/p/c/memory.kmem.usage_in_bytes": "12345\n",
    "memory/p/c/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "pids/p/c/pids.current": "5\n",
    "pids/p/c/pids.max": "max\n", "pids/p/c/cgroup.procs": "11\n12\n", "pids/p/c/inner/cgroup.procs": "13\n",
    "blkio/p/c/blkio.throttle.io_service_bytes_recursive": "8:0 Read 100\n8:0 Write 200\n8:0 Discard 1\n8:0 Total 301\nTotal 301\n",
    "blkio/p/c/blkio.throttle.io_serviced_recursive": "8:0 Read 3\n8:0 Write 4\nTotal 7\n",
    "hugetlb/p/c/hugetlb.2MB.usage_in_bytes": "2097152\n", "hugetlb/p/c/hugetlb.2MB.max_usage_in_bytes": "4194304\n",
  ]

  @Test(arguments: [legacy, hybrid]) func `all that v1 counts is found`(_ mounts: String) throws {
    try recorded(mounts, Self.legacyFiles) { reader, _ in
      #expect(reader.cpuTime("/p/c") == 1_500_000_000)
      let cpu = try #require(reader.cpuCounters("/p/c"))
      #expect(cpu.user == 1_200_000_000 && cpu.system == 300_000_000)
      #expect(cpu.periods == 10 && cpu.throttledPeriods == 3 && cpu.throttled == 77_000_000)
      let memory = try #require(reader.memoryCounters("/p/c"))
      #expect(memory.usage == 8_000_000 && memory.workingSet == 6_000_000 && memory.available == 16_777_216 - 6_000_000)
      #expect(memory.anonymous == 4_000_000 && memory.faults == 900 && memory.ownFaults == 5 && memory.majorFaults == 2)
      #expect(memory.swap == 4096 && memory.swapLimit == 4 << 20 && memory.swapAvailable == (4 << 20) - 4096)
      #expect(reader.memoryPeak("/p/c") == 9_000_000 && reader.memoryLimitHits("/p/c") == 4 && reader.kernelMemory("/p/c") == 12345)
      #expect(reader.outOfMemoryKills("/p/c") == 2)
      #expect(reader.threads("/p/c")?.current == 5 && reader.threads("/p/c")?.maximum == nil)
      #expect(Set(reader.processIDs("/p/c")) == [11, 12, 13])
      let io = try #require(reader.ioCounters("/p/c").first)
      #expect(io.device == DeviceNumber(major: 8, minor: 0) && io.readBytes == 100 && io.writtenBytes == 200)
      #expect(io.reads == 3 && io.writes == 4 && io.discardedBytes == 1)
      #expect(reader.hugepageCounters("/p/c", sizes: ["2MB", "1GB"]) == [.init(pageSize: "2MB", usage: 2 << 20, maximum: 4 << 20)])
      #expect(reader.cpuPressure("/p/c") == nil)
    }
  }

  @Test func `v1 beside v2 counts pressure there`() throws {
    let files = Self.legacyFiles.merging(["unified/p/c/io.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"]) { $1 }
    try recorded(Self.hybrid, files) { reader, _ in
      #expect(reader.ioPressure("/p/c")?.some.total == 9)
      #expect(reader.memoryCounters("/p/c")?.usage == 8_000_000)
    }
  }

  @Test func `all that v2 counts is found`() throws {
    let files = [
      "p/c/cpu.stat":
        "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 8\nnr_throttled 2\nthrottled_usec 11\nnr_bursts 0\n",
      "p/c/memory.current": "8000000\n", "p/c/memory.max": "max\n", "p/c/memory.swap.current": "4096\n", "p/c/memory.swap.max": "8192\n",
      "p/c/memory.stat":
        "anon 4000000\nfile 3000000\nkernel 5555\nfile_mapped 10\ninactive_file 9000000\nactive_file 1\npgfault 9\npgmajfault 1\n",
      "p/c/memory.peak": "9000000\n", "p/c/memory.events": "low 0\nhigh 0\nmax 6\noom 1\noom_kill 1\noom_group_kill 0\n",
      "p/c/pids.current": "5\n", "p/c/pids.max": "100\n", "p/c/cgroup.procs": "11\n",
      "p/c/io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n253:1 \n", "p/c/hugetlb.2MB.current": "2097152\n",
      "p/c/cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    ]
    try recorded(Self.unified, files) { reader, _ in
      let cpu = try #require(reader.cpuCounters("/p/c"))
      #expect(cpu.usage == 1_500_000 && cpu.user == 1_000_000 && cpu.throttled == 11_000 && cpu.periods == 8)
      let memory = try #require(reader.memoryCounters("/p/c"))
      #expect(memory.limit == nil && memory.available == nil && memory.workingSet == 0 && memory.kernel == 5555)
      #expect(memory.swap == 4096 && memory.swapAvailable == 4096 && memory.faults == 9)
      #expect(reader.memoryPeak("/p/c") == 9_000_000 && reader.memoryLimitHits("/p/c") == 6 && reader.outOfMemoryKills("/p/c") == 1)
      #expect(reader.threads("/p/c")?.maximum == 100)
      #expect(reader.ioCounters("/p/c").map(\.discards) == [6, 0])
      #expect(reader.hugepageCounters("/p/c", sizes: ["2MB"]).map(\.usage) == [2 << 20])
      #expect(reader.cpuPressure("/p/c")?.some.total == 1 && reader.ioPressure("/p/c") == nil)
    }
  }

  @Test func `a group that is gone has no figures`() throws {
    for mounts in [Self.legacy, Self.unified] {
      try recorded(mounts, [:]) { reader, _ in
        #expect(reader.cpuCounters("/p/c") == nil && reader.memoryCounters("/p/c") == nil && reader.threads("/p/c") == nil)
        #expect(reader.processIDs("/p/c").isEmpty && reader.ioCounters("/p/c").isEmpty)
      }
    }
  }

  private static let limits: CgroupLimits = {
    var limits = CgroupLimits()
    limits.cpuShares = 1024
    limits.cpuQuota = .init(quota: 50_000, period: 100_000)
    limits.memory = 1 << 30
    limits.memoryAndSwap = 3 << 29
    return limits
  }()

  @Test func `v1's memory and swap never cross on their way`() throws {
    try recorded(Self.legacy, Self.legacyFiles) { reader, root in
      let grow = try reader.changes(Self.limits, of: "/p/c")
      #expect(
        grow.map { String($0.file.dropFirst(root.utf8.count)) } == [
          "/cpu/p/c/cpu.shares", "/cpu/p/c/cpu.cfs_quota_us", "/memory/p/c/memory.memsw.limit_in_bytes",
          "/memory/p/c/memory.limit_in_bytes",
        ])
      var less = CgroupLimits()
      less.memory = 1 << 20
      less.memoryAndSwap = 1 << 20
      #expect(try reader.changes(less, of: "/p/c").map(\.field) == ["memory_limit_in_bytes", "memory_swap_limit_in_bytes"])
      var unlimited = CgroupLimits()
      unlimited.memory = -1
      unlimited.memoryAndSwap = -1
      #expect(try reader.changes(unlimited, of: "/p/c").map(\.field) == ["memory_swap_limit_in_bytes", "memory_limit_in_bytes"])
    }
  }

  @Test func `v2 gets weights, one file for quota and period, and swap alone`() throws {
    try recorded(Self.unified, ["p/c/memory.high": "max\n"]) { reader, root in
      var limits = Self.limits
      limits.unified = ["memory.high": "1000"]
      let changes = try reader.changes(limits, of: "/p/c").map { "\($0.file.dropFirst(root.utf8.count)) \($0.value)" }
      #expect(
        changes == [
          "/p/c/cpu.weight 39", "/p/c/cpu.max 50000 100000", "/p/c/memory.max 1073741824", "/p/c/memory.swap.max 536870912",
          "/p/c/memory.high 1000",
        ])
      limits.unified = ["memory.none": "1"]
      #expect(throws: CgroupReader.Unsupported.self) { try reader.changes(limits, of: "/p/c") }
      limits.unified = [:]
      limits.hugepages = ["2MB": 0]
      #expect(try reader.changes(limits, of: "/p/c").count == 4)
      limits.hugepages = ["2MB": 1]
      #expect(throws: CgroupReader.Unsupported.self) { try reader.changes(limits, of: "/p/c") }
    }
  }

  @Test func `a refused limit takes back those before it`() throws {
    try recorded(Self.unified, ["p/c/a": "1\n", "p/c/set": "\n", "p/c/set.effective": "0-1\n"]) { _, root in
      let changes = [
        LimitChange(field: "a", file: root + "/p/c/a", value: "2"), LimitChange(field: "b", file: root + "/p/c/none", value: "2"),
      ]
      let refusal = #expect(throws: LimitRefusal.self) { try LimitChange.apply(changes) }
      #expect(refusal?.change.field == "b")
      #expect(try Files.read(root + "/p/c/a") == Array("1\n".utf8))
      let set = try LimitChange.apply([LimitChange(field: "set", file: root + "/p/c/set", value: "0")])
      set.putBack()
      #expect(try Files.read(root + "/p/c/set") == Array("0-1\n".utf8))
      let earlier = try LimitChange.apply([changes[0]])
      #expect(try Files.read(root + "/p/c/a") == Array("2\n".utf8))
      earlier.putBack()
      #expect(try Files.read(root + "/p/c/a") == Array("1\n".utf8))
    }
  }

  @Test func `a tree occupies what du says, hard links once`() async throws {
    try await withScratch("usage") { scratch in
      try Files.makeDirectories(scratch + "/a/b/c")
      try Files.write([UInt8](repeating: 1, count: 100_000), to: scratch + "/a/file")
      _ = try await Command.run("/bin/ln", [scratch + "/a/file", scratch + "/a/b/again"], timeout: .seconds(5))
      _ = try await Command.run("/bin/ln", ["-s", "/etc", scratch + "/a/link"], timeout: .seconds(5))
      let usage = try TreeUsage.walk(scratch + "/a")
      let du = try await Command.run("/usr/bin/du", ["-s", "--block-size=1", scratch + "/a"], timeout: .seconds(5))
      #expect(String(decoding: du.stdout, as: UTF8.self).hasPrefix("\(usage.bytes)\t"))
      #expect(usage.inodes == 5)
    }
  }
}
