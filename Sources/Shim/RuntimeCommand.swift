import CLinux

/// Which OCI runtime a container has, and where it and the runtime keep their files.
struct Runtime {
  var path: Bytes
  var root: Bytes
  /// cgroupsPath names a slice and a scope.
  var systemdCgroup = false

  /// `runc --root … --log … --log-format json <verb> …`
  func arguments(log: Bytes, _ rest: [Bytes]) -> [Bytes] {
    let driver = systemdCgroup ? [Bytes("--systemd-cgroup")] : []
    return [path, Bytes("--root"), root, Bytes("--log"), log, Bytes("--log-format"), Bytes("json")] + driver + rest
  }
}

/// One run of the OCI runtime.
final class RuntimeCommand {
  enum Outcome {
    case succeeded
    /// The runtime's last words, or why it could not run.
    case failed(Failure)
    case timedOut
  }

  private let reaper: Reaper
  private let log: Bytes
  private let program: Program
  private let done: (Outcome) -> Void
  private var process: Process?
  private var report: Int32 = -1
  private var timer: EventLoop.Timer?
  private var isTimedOut = false

  /// Starts it; `done` is called exactly once, later.
  @discardableResult
  init(
    reaper: Reaper, _ program: Program, log: Bytes, deadline: Int64? = nil, _ done: @escaping (Outcome) -> Void
  ) {
    self.reaper = reaper
    self.log = log
    self.program = program
    self.done = done
    Files.remove(log)
    do throws(SystemFailure) {
      let spawned = try spawn()
      report = spawned.report
      process = Process(pid: spawned.pid, pidfd: spawned.pidfd, reaper: reaper) { code in self.ended(code) }
      if let deadline { timer = reaper.loop.after(milliseconds: deadline) { self.giveUp() } }
    } catch {
      let message = error.message
      reaper.loop.after(milliseconds: 0) { done(.failed(Failure(.internal, message))) }
    }
  }

  /// A runtime whose standard error is not a container's own says its unlogged words into the log as well.
  private func spawn() throws(SystemFailure) -> Spawned {
    guard program.error < 0 else { return try program.spawn() }
    var program = program
    program.error = log.withCString { clinux_openat(AT_FDCWD, $0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
    defer { close(program.error) }
    return try program.spawn()
  }

  var pid: Int32? { process.flatMap { $0.isRunning ? $0.pid : nil } }

  /// For a runtime that hangs; `done` hears `timedOut`.
  func giveUp() {
    isTimedOut = true
    process?.signalGroup(SIGKILL)
    process?.signal(SIGKILL)
  }

  private func ended(_ code: Int32) {
    reaper.loop.cancel(timer)
    let failure = ChildFailure(report: report)
    close(report)
    if let failure { return done(.failed(describe(failure))) }
    if isTimedOut { return done(.timedOut) }
    done(code == 0 ? .succeeded : .failed(lastWords(code)))
  }

  private func describe(_ failure: ChildFailure) -> Failure {
    let rootfs = program.rootfs ?? Overlay()
    switch failure.stage {
    case Int32(SHIM_STAGE_OVERLAY.rawValue):
      let layer = failure.index >= 0 && failure.index < rootfs.lower.count ? ", layer " + rootfs.lower[failure.index] : []
      return Failure(.internal, "rootfs: overlay on " + rootfs.target + layer + failure.cause)
    case Int32(SHIM_STAGE_EXECUTE.rawValue): return Failure(.internal, "OCI runtime " + program.arguments[0] + failure.cause)
    default: return Failure(.internal, "OCI runtime " + program.arguments[0] + ": preparing its process" + failure.cause)
    }
  }

  private func lastWords(_ code: Int32) -> Failure {
    if let message = RuntimeLog.lastError(log) { return Failure(.failedPrecondition, message) }
    let how = code > 128 ? "was killed by signal " + Bytes(decimal: code - 128) : "ended with exit code " + Bytes(decimal: code)
    return Failure(.failedPrecondition, program.arguments[0] + " " + how + " without a word in its log")
  }
}
