import CLinux

/// What containers share.
final class Pod {
  let directory: Bytes
  let loop: EventLoop
  let reaper: Reaper
  let hierarchies: CgroupHierarchies
  /// A log has lost output.
  var logLost: () -> Void = {}

  init(directory: Bytes, loop: EventLoop, reaper: Reaper) {
    self.directory = directory
    self.loop = loop
    self.reaper = reaper
    hierarchies = CgroupHierarchies.detect()
  }
}

/// One container from its create to its delete.
final class Container {
  /// Where a container is in its life.
  enum Phase {
    /// The runtime's create runs. May become created or stopped.
    case creating
    /// Init waits. May become starting or ending.
    case created(Process)
    /// The runtime's start runs. May become running or ending.
    case starting(Process)
    /// May become ending.
    case running(Process)
    /// Init is reaped; what it left is killed and its log written. Becomes stopped.
    case ending(Exit)
    /// May be deleted.
    case stopped(Exit)
  }

  enum Deletion {
    case none
    /// Waits for the container's end.
    case wanted
    case running
  }

  let pod: Pod
  let id: Bytes
  let bundle: Bytes
  let terminal: Bool
  let options: CreateOptions
  let request: Bytes
  let cgroup: Cgroup
  var phase = Phase.creating
  /// Stays known after the process is gone.
  var pid: Int32 = 0
  var startedAt: Int64 = 0
  var isPaused = false
  var oomKillsBefore: Int64 = 0
  var log: ContainerLog?
  var console: Console?
  /// The terminal's master, for its size.
  var master: Int32 = -1
  /// The write end of init's stdin.
  var input: Int32 = -1
  /// The runtime's create or start while it runs.
  var command: RuntimeCommand?
  /// To be killed or deleted while create or start runs: what they say no longer matters.
  var isAbandoned = false
  /// Answers what the container's seccomp filter asks, until init has ended.
  var notifier: Process?
  /// Init's end, seen while the runtime's start still ran.
  var earlyExit: Exit?
  /// Why start failed, while init is being killed for it.
  var startFailure: Failure?
  var afterCreate: [() -> Void] = []
  var startCalls: [Call] = []
  var waitCalls: [Call] = []
  var deleteCalls: [Call] = []
  var deletion = Deletion.none
  /// Called once, when nothing is left of the container.
  var deleted: () -> Void = {}

  init(pod: Pod, request: CreateRequest, options: CreateOptions) {
    self.pod = pod
    id = request.id
    bundle = request.bundle
    terminal = request.terminal
    self.options = options
    self.request = request.message
    cgroup = Cgroup(path: options.cgroup, hierarchies: pod.hierarchies)
  }

  var loop: EventLoop { pod.loop }
  var runtimeLog: Bytes { bundle + "/runtime.log" }
  var pidFile: Bytes { bundle + "/init.pid" }
  var rootfsPath: Bytes { bundle + "/rootfs" }
  /// A FIFO for those who attach to init's stdin.
  var inputPath: Bytes { pod.directory + "/stdin-" + id }
  var exitPath: Bytes { pod.directory + "/exits/" + id }

  /// Init, while it lives.
  var process: Process? {
    switch phase {
    case .created(let process), .starting(let process), .running(let process): process.isRunning ? process : nil
    case .creating, .ending, .stopped: nil
    }
  }

  var exit: Exit? {
    if case .stopped(let exit) = phase { return exit }
    return nil
  }

  /// Calls `body` when the runtime's create is over, at once where it is.
  func join(_ body: @escaping () -> Void) {
    if case .creating = phase { afterCreate.append(body) } else { body() }
  }

  func program(_ verb: [Bytes]) -> Program {
    Program(arguments: options.runtime.arguments(log: runtimeLog, verb), directory: bundle)
  }

  var isRunning: Bool {
    if case .running = phase { return true }
    return false
  }

  var isNotRunning: Failure { Failure(.failedPrecondition, "container " + id + " does not run") }

  func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }
}
