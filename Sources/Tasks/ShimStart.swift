import Core
import Linux
import Logging

/// One start of a shim: directory, cgroup, socket, process, set-up, record. Whatever fails, nothing is left.
struct ShimStart: Sendable {
  let runtime: ShimRuntime
  let plan: SandboxPlan

  private var files: ShimFiles { ShimFiles(directory: plan.directory) }

  private struct Spawned: Sendable {
    var process: Pidfd
    var state: ShimState
  }

  func run() async throws -> ShimPod {
    try check()
    let madeDirectory = !Files.exists(plan.directory)
    do {
      return try await attempt()
    } catch {
      // Not to be cut short with the task that asked.
      await Task { await undo(madeDirectory) }.value
      throw error
    }
  }

  /// Refused before anything is made, so that nothing of another sandbox can be undone.
  private func check() throws(Fault) {
    guard plan.directory.hasPrefix("/"), !plan.ownNetwork || plan.netnsPath.hasPrefix("/") else {
      throw Fault(.invalidArgument, "directory and netns path must be absolute")
    }
    do throws(SystemError) { _ = try Cgroup(plan.cgroup, in: runtime.cgroups) } catch {
      throw Fault(.invalidArgument, "cgroup \"\(plan.cgroup)\" is no path below a hierarchy's root", cause: error)
    }
    if (try? ShimState.load(files))?.process() != nil { throw Fault(.alreadyExists, "sandbox \(plan.id) has a shim already") }
    if plan.ownNetwork, Files.exists(plan.netnsPath) { throw Fault(.alreadyExists, "\(plan.netnsPath) is there already") }
  }

  private func attempt() async throws -> ShimPod {
    let spawned = try await BlockingWork.run { try spawn() }
    let client = ShimClient(files, spawned.process, runtime.limits)
    var state = spawned.state
    state.holder = try await client.setup(plan)
    try state.save(files)
    return try ShimPod(plan, holder: state.holder, client, runtime.remains(plan))
  }

  /// The state is saved before the shim is talked to: whoever finds it can clear up.
  private func spawn() throws -> Spawned {
    try Files.makeDirectories(plan.directory, mode: 0o700)
    let cgroup = try ShimCgroup(plan, in: runtime.cgroups)
    var state = ShimState(pid: 0, startTime: 0, holder: 0, cgroups: try make(cgroup))
    try state.save(files)
    let process = try cgroup.group.withProcessFiles(spawn)
    state.pid = process.pid
    state.startTime = ProcessTable.startTime(process.pid) ?? 0
    try state.save(files)
    return Spawned(process: process, state: state)
  }

  private func make(_ cgroup: ShimCgroup) throws(Fault) -> [String] {
    do { return try cgroup.create() } catch { throw Fault(.failedPrecondition, "linux.cgroup_parent: \(error)", cause: error) }
  }

  private func spawn(_ cgroups: [Int32]) throws(SystemError) -> Pidfd {
    let socket = try UnixSocket.listen(in: plan.directory, name: ShimFiles.socketName)
    let null = try FileHandle.open("/dev/null")
    let log = try FileHandle.append(to: files.log)
    var program = Spawn(
      runtime.shim, ["serve", "--id", plan.id, "--dir", plan.directory], descriptors: [null.raw, log.raw, log.raw, socket.raw])
    program.environment = plan.runtimeEnvironment
    program.directory = plan.directory
    program.cgroups = cgroups
    program.oomScore = OOMScore.allowed(plan.shimOOMScore)
    return try program.start()
  }

  private func undo(_ madeDirectory: Bool) async {
    do throws(Fault) { try await runtime.remains(plan).clear(graceful: false) } catch {
      runtime.logger.error("sandbox \(plan.id): after a failed start: \(error)")
    }
    if madeDirectory { Files.removeEmptyDirectories(plan.directory) }
  }
}
