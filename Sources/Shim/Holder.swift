import CLinux

/// The confined child whose namespaces are the pod's.
final class Holder {
  private let reaper: Reaper
  private let request: SetupRequest
  private let done: (Result<Holder, Failure>) -> Void
  private var process: Process?
  private var report: Int32 = -1
  private var timer: EventLoop.Timer?
  private var isReady = false
  private var isNetnsMounted = false

  /// Begins; `done` is called exactly once, later. `directory` exists.
  init(reaper: Reaper, _ request: SetupRequest, directory: Bytes, _ done: @escaping (Result<Holder, Failure>) -> Void) {
    self.reaper = reaper
    self.request = request
    self.done = done
    do throws(SystemFailure) {
      process = try start(directory)
      reaper.loop.watch(report) { _ in self.readReport() }
      timer = reaper.loop.after(milliseconds: 20_000) { self.fail("the holder of the pod's namespaces is not ready after 20 s") }
    } catch {
      let message = error.message
      reaper.loop.after(milliseconds: 0) { done(.failure(Failure(.internal, message))) }
    }
  }

  var pid: Int32 { process?.pid ?? 0 }

  private func start(_ directory: Bytes) throws(SystemFailure) -> Process {
    let image = shim_holder_image()
    guard image >= 0 else { throw SystemFailure("memfd", Bytes("for the holder")) }
    defer { close(image) }
    var pidfd: Int32 = -1
    let pid = clone(image, directory, &pidfd)
    guard pid > 0 else {
      throw SystemFailure(
        "clone3", Bytes(request.hasUserNamespace ? "of the pod's namespaces, a user namespace first" : "of the pod's namespaces"))
    }
    return Process(pid: pid, pidfd: pidfd, reaper: reaper) { code in self.ended(code) }
  }

  private func clone(_ image: Int32, _ directory: Bytes, _ pidfd: inout Int32) -> Int32 {
    let sysctls = request.sysctls
    let paths = sysctls.map { "/proc/sys/" + ($0.path ?? []) as Bytes? }
    let values = sysctls.map { $0.value as Bytes? }
    let hostname: Bytes? = request.uts && !request.hostname.isEmpty ? request.hostname : nil
    let maps = request.hasUserNamespace ? [request.uidMap, request.gidMap] as [Bytes?] : [nil, nil]
    return withCStrings([directory, hostname] + maps + paths + values) { strings in
      var holder = shim_holder()
      holder.uid_map = strings[2]
      holder.gid_map = strings[3]
      holder.namespaces = namespaces
      holder.root = strings[0]
      holder.hostname = strings[1]
      holder.sysctl_paths = strings + 4
      holder.sysctl_values = strings + 4 + sysctls.count
      holder.sysctl_count = UInt32(sysctls.count)
      holder.loopback = request.network ? 1 : 0
      holder.image = image
      return shim_holder_start(&holder, &pidfd, &report)
    }
  }

  private var namespaces: UInt64 {
    (request.network ? shim_new_network() : 0) | (request.ipc ? shim_new_ipc() : 0)
      | (request.uts ? shim_new_uts() : 0) | (request.pid ? shim_new_pid() : 0)
  }

  private func readReport() {
    var content = Bytes()
    let count = Files.appendChunk(report, &content, size: 1)
    if count == 1 && content[0] == 0 { return ready() }
    if count == 1 {
      // A value that the kernel does not take is that of who asked for it.
      let isSysctl = content[0] == UInt8(truncatingIfNeeded: SHIM_STAGE_SYSCTL.rawValue)
      return fail(describe(content[0]), isSysctl ? .invalidArgument : .internal)
    }
    if count == 0 { fail("the holder of the pod's namespaces ended before it was ready") }
  }

  /// A failure begins with its stage, which is never 0.
  private func describe(_ first: UInt8) -> Bytes {
    var content: Bytes = [first]
    _ = Files.appendChunk(report, &content, size: MemoryLayout<shim_failure>.size)
    guard let failure = ChildFailure(content) else { return Bytes("the holder reported nonsense") }
    switch failure.stage {
    case Int32(SHIM_STAGE_HOSTNAME.rawValue): return "hostname \"" + request.hostname + "\"" + failure.cause
    case Int32(SHIM_STAGE_LOOPBACK.rawValue): return "network: raising lo" + failure.cause
    case Int32(SHIM_STAGE_SYSCTL.rawValue):
      let sysctl = request.sysctls[min(max(failure.index, 0), request.sysctls.count - 1)]
      return "sysctls: " + sysctl.name + " = \"" + sysctl.value + "\"" + failure.cause
    case Int32(SHIM_STAGE_ROOT.rawValue): return "holder: making its empty root" + failure.cause
    case Int32(SHIM_STAGE_CREDENTIALS.rawValue): return "holder: giving up its privileges" + failure.cause
    default: return "holder: executing" + failure.cause
    }
  }

  private func ready() {
    closeReport()
    isReady = true
    if request.network, let failure = mountNetns() {
      process?.signal(SIGKILL)
      return done(.failure(failure))
    }
    done(.success(self))
  }

  private func fail(_ message: StaticString) { fail(Bytes(message)) }

  private func fail(_ message: Bytes, _ code: Code = .internal) {
    closeReport()
    isReady = true
    process?.signal(SIGKILL)
    done(.failure(Failure(code, message)))
  }

  private func closeReport() {
    reaper.loop.cancel(timer)
    reaper.loop.unwatch(report)
    close(report)
  }

  /// The file stands for the namespace as long as the mount does, whoever lives in it.
  private func mountNetns() -> Failure? {
    let path = request.netnsPath
    if let slash = path.lastIndex(of: 47), slash > 0 { _ = Bytes(path[..<slash]).withCString { mkdir($0, 0o755) } }
    let fd = path.withCString { clinux_openat(AT_FDCWD, $0, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o444) }
    guard fd >= 0 else { return Failure(.internal, SystemFailure("netns: making", path).message) }
    close(fd)
    let source = "/proc/" + Bytes(decimal: pid) + "/ns/net"
    let result = source.withCString { from in path.withCString { mount(from, $0, nil, UInt(MS_BIND), nil) } }
    isNetnsMounted = result == 0
    if isNetnsMounted { return nil }
    let failure = Failure(.internal, SystemFailure("netns: mounting", path).message)
    Files.remove(path)
    return failure
  }

  /// Takes the namespace's mount away and kills the holder; with it, all that lives in a shared PID namespace.
  func tearDown() {
    if isNetnsMounted {
      _ = request.netnsPath.withCString { umount2($0, Int32(MNT_DETACH)) }
      Files.remove(request.netnsPath)
      isNetnsMounted = false
    }
    process?.signal(SIGKILL)
  }

  var isGone: Bool { process.map { !$0.isRunning } ?? true }

  private func ended(_ code: Int32) {
    if !isReady { return readReport() }
    if isNetnsMounted { note("the holder of the pod's namespaces ended with " + Bytes(decimal: code)) }
  }
}
