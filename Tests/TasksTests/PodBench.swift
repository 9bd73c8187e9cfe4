import Core
import Linux
import Logging
import Support
import Testing

@testable import Tasks

/// A corner of the machine for one test: a directory, a cgroup, an image of busybox, the built berth-shim and the real runc. Nothing of it is left
/// after, or the test fails.
final class PodBench: TaskRuntimeContract.Surroundings {
  let scratch: String
  let cgroup: String
  let shims: ShimRuntime
  /// The OCI runtime's path.
  let runc: String

  var runtime: any TaskRuntime { shims }

  private init(_ scratch: String, _ shim: String?, _ runc: String, _ limits: ShimLimits) throws {
    self.scratch = scratch
    self.runc = runc
    cgroup = "/" + scratch.split(separator: "/").last!
    var shims = ShimRuntime(shim: try shim ?? Self.builtShim(), cgroups: try CgroupTree.detect(), logger: Logger(label: "test"))
    shims.limits = limits
    self.shims = shims
  }

  static func run(
    shim: String? = nil, runc: String = "/usr/sbin/runc", limits: ShimLimits = ShimLimits(), _ body: (PodBench) async throws -> Void
  ) async throws {
    // The thread that collects output has a pipe for as long as the process lives.
    _ = await CollectedOutput(stdout: try .unread(), stderr: try .unread(), limit: 0).finish(quiet: .zero, linger: .zero)
    try await withScratch("tasks") { scratch in
      let bench = try PodBench(scratch, shim, runc, limits)
      let scope = LeftoverScope(cgroup: bench.cgroup, netnsPrefix: bench.netnsPrefix, directories: ["\(scratch)/state"])
      try bench.makeImage()
      // The pods' parent is the kubelet's: there before the first pod, removed after the last.
      try Cgroup(bench.cgroup, in: bench.shims.cgroups).create()
      let before = Leftovers(scope)
      do { try await body(bench) } catch { Issue.record(error) }
      let differences = await before.differences()
      #expect(differences == [])
      // After a failure the next test begins on clean ground all the same.
      try await bench.sweep()
    }
  }

  /// Next to the test bundle, where `swift build` puts it.
  static func builtShim() throws -> String {
    let bundle = try Files.readLink("/proc/self/exe")
    return Files.parent(of: bundle) + "/berth-shim"
  }

  private var netnsPrefix: String { cgroup.dropFirst() + "-" }
  private var image: String { scratch + "/image" }

  private func makeImage() throws {
    for name in ["bin", "proc", "dev", "sys", "tmp", "etc"] { try Files.makeDirectories("\(image)/\(name)", mode: 0o755) }
    try Files.write(try Files.read("/usr/bin/busybox"), to: image + "/bin/busybox", mode: 0o755)
    try Files.makeDirectories(scratch + "/state")
  }

  func sandbox() throws -> SandboxPlan { sandbox { _ in } }

  func sandbox(_ change: (inout SandboxPlan) -> Void) -> SandboxPlan {
    let id = Identifier.random()
    var plan = SandboxPlan(id: id, directory: "\(scratch)/state/\(id)")
    plan.hostname = "bench"
    plan.netnsPath = "/run/netns/\(netnsPrefix)\(id.prefix(8))"
    plan.cgroup = "\(cgroup)/\(id)"
    plan.shimOOMScore = 0
    change(&plan)
    return plan
  }

  func container(_ program: TaskRuntimeContract.Program, in sandbox: SandboxPlan, _ pod: any PodTask) throws -> ContainerPlan {
    switch program {
    case .exits(let code): try container(in: sandbox, pod, ["/bin/busybox", "sh", "-c", "exit \(code)"])
    case .sleeps: try container(in: sandbox, pod, ["/bin/busybox", "sleep", "1000"])
    case .missing: try container(in: sandbox, pod, ["/no/such/command"])
    }
  }

  /// With its bundle's config.json, and directories for a writable overlay below the sandbox's.
  func container(
    in sandbox: SandboxPlan, _ pod: any PodTask, _ arguments: [String], _ change: (inout ContainerPlan) -> Void = { _ in }
  ) throws -> ContainerPlan {
    let id = Identifier.random()
    let bundle = "\(sandbox.directory)/containers/\(id)"
    let (upper, work) = ("\(scratch)/upper-\(id)", "\(scratch)/work-\(id)")
    for directory in [bundle + "/rootfs", upper, work] { try Files.makeDirectories(directory, mode: 0o755) }
    var plan = ContainerPlan(
      id: id, bundle: bundle, rootfs: RootfsMount(lower: [image], upper: upper, work: work), runtime: runc,
      runtimeRoot: sandbox.directory + "/runc")
    plan.cgroup = "\(cgroup)/\(id)"
    plan.logPath = "\(scratch)/\(id).log"
    change(&plan)
    try Files.write(RuntimeConfig(plan, sandbox, holder: pod.holderPID, arguments).json, to: bundle + "/config.json")
    return plan
  }

  /// A pod with one running container, which is killed and deleted after.
  func withRunning(
    _ arguments: [String], _ change: (inout ContainerPlan) -> Void = { _ in },
    _ body: (any PodTask, SandboxPlan, String) async throws -> Void
  ) async throws {
    let plan = sandbox { _ in }
    let pod = try await runtime.start(plan)
    let container = try container(in: plan, pod, arguments, change)
    try await pod.create(container)
    _ = try await pod.start(container.id)
    try await body(pod, plan, container.id)
    try? await pod.kill(container.id, signal: 9, all: true)
    _ = try await pod.wait(container.id)
    try await pod.delete(container.id)
    try await pod.shutdown()
    removeAll()
  }

  /// Directories are their makers': the bench takes away what it put there.
  func removeAll() {
    for name in (try? Files.list(scratch + "/state")) ?? [] { Scratch.remove("\(scratch)/state/\(name)") }
  }

  private func sweep() async throws {
    let group = try Cgroup(cgroup, in: shims.cgroups)
    let scratch = scratch
    try await BlockingWork.run {
      group.kill()
      try Mounts.unmountAll(below: scratch)
      try group.remove()
    }
    for name in (try? Files.list("/run/netns")) ?? [] where name.hasPrefix(netnsPrefix) {
      try Mounts.unmountIfMounted("/run/netns/\(name)")
      try Files.remove("/run/netns/\(name)")
    }
  }
}
