import CRIAPI
import Core
import Linux
import OCI
import Spec
import Support
import Testing

/// Specs as the real runc understands them.
@Suite(.serialized)
struct RuncTests {
  private func run(_ script: String, _ change: (inout SpecInputs) throws -> Void = { _ in }) async throws -> String {
    var result = ""
    try await RuncContainer.with { result = try await $0.run(script, change) }
    return result
  }

  /// `CapBnd` and the like of a `/proc/<pid>/status`.
  private func field(_ name: String, of status: String) -> String? {
    status.split(separator: "\n").first { $0.hasPrefix(name + ":") }.map { String($0.drop { $0 != "\t" }.dropFirst()) }
  }

  private func set(_ name: String, of status: String) -> Set<Capability>? {
    field(name, of: status).flatMap { UInt64($0, radix: 16) }.map(Capability.set(mask:))
  }

  @Test func aUserHasItsGroupsAndOnlyTheBoundingSet() async throws {
    let status = try await run("busybox cat /proc/self/status") {
      $0.securityContext.runAsUsername = "app"
      $0.securityContext.supplementalGroups = [77]
      $0.securityContext.noNewPrivs = true
    }
    #expect(field("Uid", of: status) == "1000\t1000\t1000\t1000")
    #expect(field("Gid", of: status) == "1001\t1001\t1001\t1001")
    #expect(field("Groups", of: status)?.split(separator: " ") == ["10", "29", "77", "1001"])
    #expect(set("CapBnd", of: status) == Capability.defaults)
    #expect(set("CapEff", of: status) == [])
    #expect(field("NoNewPrivs", of: status) == "1")
  }

  @Test func ambientCapabilitiesStayWithAUser() async throws {
    let status = try await run("busybox cat /proc/self/status") {
      $0.runAs(1000)
      $0.securityContext.capabilities.dropCapabilities = ["ALL"]
      $0.securityContext.capabilities.addAmbientCapabilities = ["NET_BIND_SERVICE"]
    }
    #expect(set("CapEff", of: status) == [.netBindService])
    #expect(set("CapBnd", of: status) == [.netBindService])
  }

  @Test func theDefaultFilterIsInForceAndProgramsRun() async throws {
    let output = try await run("busybox cat /proc/self/status; busybox unshare -m true 2>&1 || echo refused; busybox ls / | busybox sort") {
      $0.securityContext.seccomp.profileType = .runtimeDefault
    }
    #expect(field("Seccomp", of: output) == "2")
    #expect(output.contains("Operation not permitted") && output.contains("refused"))
    #expect(output.contains("proc\n"))
  }

  @Test func aFilterOfTheNodeIsInForce() async throws {
    let output = try await run("busybox mkdir /x || echo refused") {
      $0.securityContext.seccomp.profileType = .localhost
      $0.securityContext.seccomp.localhostRef = "/p.json"
      $0.lookups.seccompProfile = { _ in
        Array(#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}"#.utf8)
      }
    }
    #expect(output == "refused\n")
  }

  @Test func maskedPathsAreEmptyAndReadonlyOnesCannotBeWritten() async throws {
    let output = try await run(
      "busybox wc -c </proc/version; echo 1 >/proc/sys/vm/swappiness || echo kept; echo x >/file || echo readonly; echo x >/dev/shm/berth-$$ && busybox rm /dev/shm/berth-$$"
    ) {
      $0.securityContext.maskedPaths = RuntimeSpec.usualMaskedPaths + ["/proc/version"]
      $0.securityContext.readonlyPaths = RuntimeSpec.usualReadonlyPaths
      $0.securityContext.readonlyRootfs = true
    }
    #expect(output == "0\nkept\nreadonly\n")
  }

  @Test func limitsReachTheCgroup() async throws {
    let script = """
      cd /sys/fs/cgroup; busybox cat memory/memory.limit_in_bytes 2>/dev/null || busybox cat memory.max
      busybox cat cpu/cpu.cfs_quota_us 2>/dev/null || busybox cat cpu.max; busybox cat /proc/self/oom_score_adj
      """
    let output = try await run(script) {
      $0.container.linux.resources.memoryLimitInBytes = 64 << 20
      $0.container.linux.resources.cpuPeriod = 100_000
      $0.container.linux.resources.cpuQuota = 50_000
      $0.container.linux.resources.cpuShares = 512
      $0.container.linux.resources.oomScoreAdj = 500
    }
    let lines = output.split(separator: "\n")
    #expect(lines.first == "67108864")
    #expect(lines.dropFirst().first?.hasPrefix("50000") == true)
    #expect(lines.last == "500")
  }

  @Test func aPrivilegedContainerHasTheHostsDevicesAndTheDaemonsCapabilities() async throws {
    let output = try await run("busybox cat /proc/self/status; busybox ls /dev; busybox mount -t tmpfs x /bin && echo mounted") {
      $0.bePrivileged()
    }
    #expect(set("CapEff", of: output) == (try NodeFacts.gather().availableCapabilities))
    #expect(output.contains("\nkmsg\n") && output.hasSuffix("mounted\n"))
  }

  @Test func mountsAreInPlaceWithTheirOptions() async throws {
    let output = try await withScratch("mounts") { host in
      try Files.write("inner\n", to: host + "/file")
      return try await run(
        "busybox cat /data/deep/file /etc/hosts; echo x >/data/deep/new || echo readonly; echo x >/rro/new || echo readonly; busybox pwd; echo $HOSTNAME $TERM"
      ) {
        $0.mount(host, "/data/deep") { $0.readonly = true }
        $0.mount(host, "/data")
        $0.mount(host, "/rro") {
          $0.readonly = true
          $0.recursiveReadOnly = true
        }
        $0.pod.hostsFile = host + "/file"
        $0.container.workingDir = "/work/dir"
        $0.node.hostname = "node-1"
      }
    }
    #expect(output == "inner\ninner\nreadonly\nreadonly\n/work/dir\nnode-1\n")
  }

  @Test func theContainerJoinsTheHoldersNamespaces() async throws {
    let holder = try await BlockingWork.run {
      try Spawn("/usr/bin/unshare", ["--net", "--ipc", "--uts", "/bin/sleep", "60"], descriptors: [-1, -1, -1]).start()
    }
    defer { Holder.end(holder) }
    try await Holder.awaitNamespaces(of: holder)
    var sandbox = SpecFixture.sandbox
    sandbox.linux.securityContext.namespaceOptions.pid = .container
    let namespaces = try PodNamespaces(sandbox)
    let output = try await run("for n in net ipc uts pid; do busybox readlink /proc/self/ns/$n; done; echo $$") {
      $0.pod = PodFacts(sandboxID: $0.id, holderPID: holder.pid, namespaces: namespaces, networkNamespace: nil)
    }
    let lines = output.split(separator: "\n").map(String.init)
    for (index, name) in ["net", "ipc", "uts"].enumerated() {
      #expect(try await lines[index] == Holder.namespace(name, of: "\(holder.pid)"))
    }
    #expect(try await lines[3] != Holder.namespace("pid", of: "self"))
    #expect(lines[4] == "1")
  }

  @Test func anExecRunsAsTheContainersUser() async throws {
    try await RuncContainer.with { container in
      let spec = try makeSpec(container.inputs("busybox sleep 60") { $0.runAs(1000) }).spec
      try container.write(spec)
      _ = try await container.runc(["run", "--detach", "--bundle", container.bundle, container.name])
      let exec = try ExecProcess.make(base: spec.process, command: ["/bin/busybox", "sh", "-c", "busybox id -u"], tty: false)
      try Files.write(exec.encoded, to: container.directory + "/process.json")
      let output = try await container.runc(["exec", "--process", container.directory + "/process.json", container.name])
      #expect(output.hasPrefix("1000"))
    }
  }
}

/// A process with namespaces of its own.
private enum Holder {
  static func awaitNamespaces(of process: Pidfd) async throws {
    let own = try await namespace("uts", of: "self")
    while try await namespace("uts", of: "\(process.pid)") == own {
      try #require(!process.hasEnded)
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// `net:[4026531840]`.
  static func namespace(_ name: String, of process: String) async throws -> String {
    let output = try await Command.run("/usr/bin/readlink", ["/proc/\(process)/ns/\(name)"], timeout: .seconds(10))
    return String(decoding: output.stdout.dropLast(), as: UTF8.self)
  }

  static func end(_ process: Pidfd) {
    try? process.signal(9)
    _ = process.ended(within: -1)
    _ = try? process.reap()
  }
}
