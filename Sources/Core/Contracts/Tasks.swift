package import Linux

/// What a pod's shim is to set up: namespaces held by its confined child, and where both live.
package struct SandboxPlan: Sendable, Hashable, Codable {
  package var id: String
  /// The sandbox's directory on tmpfs (`<state>/sandboxes/<id>`), mode 0700; sockets, bundles and exit records live below it.
  package var directory: String
  /// A namespace of its own (true) or the host's (false).
  package var ownNetwork = true
  package var ownIPC = true
  package var ownUTS = true
  /// One PID namespace shared by all containers of the pod, with the holder as PID 1.
  package var sharedPID = false
  package var hostname = ""
  /// Written by a child inside the new namespaces.
  package var sysctls: [String: String] = [:]
  /// Where the new network namespace is bind-mounted, `/run/netns/berth-<uuid>`.
  package var netnsPath = ""
  /// Cgroup of shim and holder below the pod's cgroup: a path relative to each hierarchy's root, `/kubepods/…/<id>`.
  package var cgroup = ""
  /// A user namespace of the pod's own, which owns its other namespaces; nil for the host's.
  package var idMaps: IDMaps?
  /// SELinux labels of the pod's processes and files; nil where it has none.
  package var processLabel: String?
  package var fileLabel: String?
  /// The pod's own cgroup, where that of shim and holder is not below it.
  package var podCgroup: String?
  /// Of shim and holder: their processors (`0-1`) and their weight as cgroup v1 has it; nil for the kernel's own.
  package var shimProcessors: String?
  package var shimShares: Int?
  /// Bytes of its /dev/shm; nil for 64 MiB.
  package var shmSize: Int?
  /// Of the shim and what it runs, `NAME=value`, beside a PATH; nil for no more.
  package var shimEnvironment: [String]?
  /// Clamped to what this process may set.
  package var shimOOMScore: Int32 = -998

  package init(id: String, directory: String) {
    self.id = id
    self.directory = directory
  }

  /// Of the shim and of the OCI runtime, whoever runs it. The first of a name counts.
  package var runtimeEnvironment: [String] {
    (shimEnvironment ?? []) + ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
  }
}

/// How an OCI runtime is to create containers, beyond what their specs say.
package struct CreationSettings: Sendable, Hashable, Codable {
  /// Milliseconds; a runtime that takes longer is killed. 0 for no limit.
  package var limit: Int
  /// For its `create`: `--no-pivot` and the like.
  package var options: [String]

  package init(limit: Int, options: [String]) {
    self.limit = limit
    self.options = options
  }
}

/// What is needed to run one container; the bundle's `config.json` is written by the caller before `create`.
package struct ContainerPlan: Sendable, Hashable, Codable {
  package var id: String
  /// `<sandbox directory>/containers/<id>`: config.json, rootfs (mount point), runtime state.
  package var bundle: String
  package var rootfs: RootfsMount
  /// Path of the OCI runtime (`/usr/sbin/runc`) and its `--root`.
  package var runtime: String
  package var runtimeRoot: String
  /// CRI log file; empty for none.
  package var logPath = ""
  /// Bytes of a line that one record of the log holds, at most 128 KiB; nil for 16 KiB.
  package var logLineLimit: Int?
  package var terminal = false
  package var stdin = false
  package var stdinOnce = false
  /// The container's cgroup as in the spec's cgroupsPath, for OOM counts and for killing what is left.
  package var cgroup = ""
  /// Init does not own its PID namespace, so what it leaves behind must be killed through the cgroup.
  package var sharesPID = false
  /// Whom the container's stdio belongs to where that is not root: its root, outside of its user namespace.
  package var stdioOwner: FileOwner?
  /// The runtime has systemd make the cgroup.
  package var systemdCgroup: Bool?
  package var creation: CreationSettings?
  /// Its blocked system calls are counted in the bundle's `seccomp.calls`; nil where they are not.
  package var blockedCalls: BlockedCallAction?
  /// Another's shim runs it; nil where an OCI runtime does.
  package var foreign: ForeignKind?

  package init(id: String, bundle: String, rootfs: RootfsMount, runtime: String, runtimeRoot: String) {
    self.id = id
    self.bundle = bundle
    self.rootfs = rootfs
    self.runtime = runtime
    self.runtimeRoot = runtimeRoot
  }
}

/// What another's shim makes of a container.
package enum ForeignKind: String, Sendable, Codable {
  /// Something that may have a cgroup of its own on this host.
  case container
  /// Something in a virtual machine: this host knows only the machine.
  case machine
}

/// What a container used, as another's shim tells. What that does not count is nil.
package struct ForeignFigures: Sendable, Hashable {
  /// Nanoseconds of processor time.
  package var cpu: UInt64?
  package var memory: MemoryCounters?

  package init(cpu: UInt64?, memory: MemoryCounters?) {
    self.cpu = cpu
    self.memory = memory
  }
}

/// What follows from a system call that a container's seccomp profile blocks.
package enum BlockedCallAction: String, Sendable, Codable {
  case report, stop
}

/// How a process ended. Never invented as 0: an unknown exit is 255 with its reason.
package struct ExitRecord: Sendable, Hashable, Codable {
  package var exitCode: Int32
  /// Nanoseconds since the epoch.
  package var finishedAt: Int64
  package var oomKilled: Bool
  /// `ShimDied`, `StartError`; empty where the exit code says all.
  package var reason: String
  package var message: String

  package init(exitCode: Int32, finishedAt: Int64, oomKilled: Bool = false, reason: String = "", message: String = "") {
    self.exitCode = exitCode
    self.finishedAt = finishedAt
    self.oomKilled = oomKilled
    self.reason = reason
    self.message = message
  }

  /// An end just found that nobody saw.
  package static func unseen(_ reason: String, _ message: String) -> ExitRecord {
    ExitRecord(exitCode: 255, finishedAt: SystemClock.realtimeNanoseconds(), reason: reason, message: message)
  }
}

/// What the shim knows of one container.
package struct TaskState: Sendable, Hashable {
  package enum Phase: Sendable, Hashable {
    case creating
    case created
    case running
    case stopped(ExitRecord)
  }
  package var id: String
  package var pid: Int32
  package var phase: Phase
  /// Nanoseconds since the epoch; 0 before the start.
  package var startedAt: Int64
  package var log: LogCounts

  package var isStopped: Bool { if case .stopped = phase { true } else { false } }

  package init(id: String, pid: Int32, phase: Phase, startedAt: Int64, log: LogCounts = LogCounts()) {
    self.id = id
    self.pid = pid
    self.phase = phase
    self.startedAt = startedAt
    self.log = log
  }
}

/// What a container said, and what became of it in its log.
package struct LogCounts: Sendable, Hashable {
  /// Bytes that it wrote.
  package var inputBytes: UInt64 = 0
  /// Bytes in its log, what stands before each record included.
  package var outputBytes: UInt64 = 0
  /// Records made of its lines, and how many of them are all but the last of a line that was too long for one.
  package var records: UInt64 = 0
  package var splits: UInt64 = 0
  /// Bytes that the log lost: a full disk, a directory that is gone.
  package var lost: UInt64 = 0

  package init() {}

  /// Field by field.
  package func combined(_ other: LogCounts, _ body: (UInt64, UInt64) -> UInt64) -> LogCounts {
    var result = LogCounts()
    result.inputBytes = body(inputBytes, other.inputBytes)
    result.outputBytes = body(outputBytes, other.outputBytes)
    result.records = body(records, other.records)
    result.splits = body(splits, other.splits)
    result.lost = body(lost, other.lost)
    return result
  }
}

/// The oom_score_adj that a container has now. A runtime gives an exec the one of the container's start.
package struct OutOfMemoryScore: Sendable, Hashable {
  package var value: Int
  /// The container's, relative to each hierarchy's root.
  package var cgroup: String

  package init(_ value: Int, cgroup: String) {
    self.value = value
    self.cgroup = cgroup
  }
}

package struct ExecPlan: Sendable, Hashable {
  package var container: String
  /// OCI `process` object as JSON, for `runc exec --process`.
  package var process: [UInt8]
  /// Nanoseconds; 0 for none. At its end all that the exec started is killed.
  package var timeout: Int64
  /// Bytes of stdout and stderr together that are kept; the rest is read and dropped. By default as much as fits the 16 MiB message that
  /// kubelets take.
  package var outputLimit: Int
  /// nil leaves it to the runtime.
  package var score: OutOfMemoryScore?
  /// What is started keeps to this one; nil for any that the container has.
  package var processor: Int?
  /// nil where nobody wants to know.
  package var watch: ExecWatch?

  package init(container: String, process: [UInt8], timeout: Int64, outputLimit: Int = (16 << 20) - 1024) {
    self.container = container
    self.process = process
    self.timeout = timeout
    self.outputLimit = outputLimit
  }
}

package struct ExecResult: Sendable, Hashable {
  package var stdout: [UInt8]
  package var stderr: [UInt8]
  package var exitCode: Int32
  package var timedOut: Bool

  package init(stdout: [UInt8], stderr: [UInt8], exitCode: Int32, timedOut: Bool) {
    self.stdout = stdout
    self.stderr = stderr
    self.exitCode = exitCode
    self.timedOut = timedOut
  }
}

/// One live pod, seen through its shim. Every call throws UNAVAILABLE once the shim is dead. Waiters may be cancelled; operations go on.
package protocol PodTask: Sendable {
  var sandboxID: String { get }
  var shimPID: Int32 { get }
  /// Process whose `/proc/<pid>/ns/*` are the pod's namespaces.
  var holderPID: Int32 { get }

  /// Begins mounting the rootfs and `runc create` in the shim's background; returns when the shim has taken it on.
  func create(_ plan: ContainerPlan) async throws
  /// Joins the create, then starts. A command that cannot be run throws FAILED_PRECONDITION with the runtime's message; the container is then stopped (128).
  func start(_ id: String) async throws -> TaskState
  /// NOT_FOUND where the container has no process any more. Joins a running create.
  func kill(_ id: String, signal: Int32, all: Bool) async throws
  /// Returns at once where it has ended already.
  func wait(_ id: String) async throws -> ExitRecord
  /// Removes a stopped or failed container from runtime and shim, unmounts its rootfs, removes its cgroup. Idempotent.
  func delete(_ id: String) async throws
  func states() async throws -> [TaskState]
  func execSync(_ plan: ExecPlan) async throws -> ExecResult
  func reopenLog(_ id: String) async throws
  /// Returns the states when the containers' lost log bytes add up to another number than `known`.
  func logLoss(beyond known: UInt64) async throws -> [TaskState]
  /// Ends holder and shim; all containers must be deleted. Idempotent.
  func shutdown() async throws
  /// Returns when the shim's process is gone, or that which holds the pod's namespaces.
  func awaitDeath() async
}

/// Makes pods' shims and finds them again.
package protocol TaskRuntime: Sendable {
  /// Spawns the shim and sets the sandbox up. On failure nothing is left (no process, mount, cgroup, netns file).
  func start(_ plan: SandboxPlan) async throws -> any PodTask
  /// Connects to the shim of an earlier daemon. NOT_FOUND where it is dead.
  func adopt(_ plan: SandboxPlan) async throws -> any PodTask
  /// After a shim's death, or for leftovers of an interrupted start: kills what lives in the sandbox's and the containers' cgroups, runs the runtime's
  /// forced delete, unmounts rootfs and shm, removes the netns mount and cgroups. Never fails for what is already gone.
  func reap(_ plan: SandboxPlan, containers: [ContainerPlan]) async throws
  /// How a container ended, as its shim wrote it down; `nil` where it did not.
  func exitRecord(of container: String, in plan: SandboxPlan) -> ExitRecord?
}
