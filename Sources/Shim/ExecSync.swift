import CLinux

/// One ExecSync: `runc exec --detach`, its process to the end, its output.
final class ExecSync {
  /// One of its output pipes, and what is kept of it.
  private final class Output {
    var fd: Int32 = -1
    var content = Bytes()
  }

  /// Children may hold the pipes after the process's end: so long without output, and so long at most.
  private static let quiet: Int64 = 200
  private static let linger: Int64 = 2_000
  /// An answer must fit into one frame.
  private static let frameRoom = UInt64(TtrpcHeader.limit - 4096)

  private let container: Container
  private let reaper: Reaper
  private let call: Call
  private let limit: Int
  private let files: Bytes
  private let standardOutput = Output()
  private let standardError = Output()
  private var command: RuntimeCommand?
  private var process: Process?
  private var tree: ProcessTree?
  private var code: Int32?
  private var failure: Failure?
  private var isTimedOut = false
  private var isDone = false
  private var timeout: EventLoop.Timer?
  private var quietTimer: EventLoop.Timer?
  private var lingerUntil: Int64?
  private let finished: (ExecSync) -> Void

  /// `number` sets its files apart from those of other execs. `finished` is called once, after the answer.
  init(_ container: Container, _ request: ExecSyncRequest, _ call: Call, number: Int64, finished: @escaping (ExecSync) -> Void) {
    self.container = container
    self.call = call
    self.finished = finished
    reaper = container.pod.reaper
    limit = Int(min(request.outputLimit, Self.frameRoom))
    files = container.pod.directory + "/exec-sync-" + Bytes(decimal: number)
    begin(request)
  }

  var connection: Int { call.connection }
  private var pidFile: Bytes { files + ".pid" }
  private var specFile: Bytes { files + ".json" }
  private var logFile: Bytes { files + ".log" }

  private func begin(_ request: ExecSyncRequest) {
    guard Files.write(specFile, request.process) else {
      return fail(Failure(.internal, SystemFailure("exec: writing", specFile).message))
    }
    let ends = (open(standardOutput), open(standardError))
    var program = Program(arguments: container.options.runtime.arguments(log: logFile, verb), directory: container.bundle)
    program.output = ends.0
    program.error = ends.1
    reaper.expectIntroduction()
    command = RuntimeCommand(reaper: reaper, program, log: logFile) { outcome in self.started(outcome) }
    for fd in [ends.0, ends.1] where fd >= 0 { CLinux.close(fd) }
    if request.timeout > 0 { timeout = reaper.loop.after(milliseconds: (request.timeout + 999_999) / 1_000_000) { self.timedOut() } }
  }

  private var verb: [Bytes] {
    [Bytes("exec"), Bytes("--detach"), Bytes("--process"), specFile, Bytes("--pid-file"), pidFile, container.id]
  }

  /// The end for the child; -1, which becomes /dev/null, where there is no descriptor left.
  private func open(_ output: Output) -> Int32 {
    var ends: (Int32, Int32) = (-1, -1)
    let made = withUnsafeMutableBytes(of: &ends) { shim_pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
    guard made == 0 else { return -1 }
    output.fd = ends.0
    _ = shim_set_nonblocking(ends.0)
    reaper.loop.watch(ends.0) { _ in self.read(output) }
    return ends.1
  }

  private func started(_ outcome: RuntimeCommand.Outcome) {
    command = nil
    process = Process(pidFile: pidFile, reaper: reaper) { code in self.ended(code) }
    if let process { tree = ProcessTree(root: process.pid, cgroup: container.cgroup) }
    reaper.introductionOver()
    switch outcome {
    case .succeeded: if process == nil { fail(Failure(.internal, "OCI runtime exec left no process of its own")) }
    case .failed(let failure): give(Failure(failure.code, "OCI runtime exec failed: " + failure.message))
    case .timedOut: give(nil)
    }
    if isTimedOut, process != nil { killAll() }
  }

  /// The runtime failed, but may have begun the process.
  private func give(_ failure: Failure?) {
    self.failure = failure
    if process != nil { return killAll() }
    if isTimedOut { return settle() }
    fail(failure ?? Failure(.internal, "OCI runtime exec was killed"))
  }

  private func timedOut() {
    isTimedOut = true
    timeout = nil
    if let command { return command.giveUp() }
    killAll()
  }

  /// For a caller that is gone.
  func abandon() { timedOut() }

  private func killAll() {
    guard let tree, tree.kill() else { return }
    reaper.loop.after(milliseconds: 10) { self.killAll() }
  }

  private func ended(_ code: Int32) {
    self.code = code
    settle()
  }

  /// Whether there was something to read.
  @discardableResult
  private func read(_ output: Output) -> Bool {
    let count = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16 << 10) { buffer in
      let count = CLinux.read(output.fd, buffer.baseAddress, buffer.count)
      let room = limit - standardOutput.content.count - standardError.content.count
      if count > 0 { output.content.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[..<min(count, max(room, 0))])) }
      return count
    }
    if count < 0 && (clinux_errno() == EAGAIN || clinux_errno() == EINTR) { return false }
    if count <= 0 { close(output) }
    if code != nil { settle() }
    return count > 0
  }

  private func close(_ output: Output) {
    guard output.fd >= 0 else { return }
    reaper.loop.unwatch(output.fd)
    CLinux.close(output.fd)
    output.fd = -1
  }

  /// The process has ended: answers when the pipes have too, or have been quiet.
  private func settle() {
    reaper.loop.cancel(timeout)
    reaper.loop.cancel(quietTimer)
    if standardOutput.fd < 0 && standardError.fd < 0 { return answer() }
    quietTimer = reaper.loop.after(milliseconds: Self.quiet) { self.wasQuiet() }
    if let lingerUntil, shim_monotonic() > lingerUntil { answer() }
    lingerUntil = lingerUntil ?? shim_monotonic() + Self.linger * 1_000_000
  }

  /// On a busy machine the pipes may be full although nothing was read for a while.
  private func wasQuiet() {
    for output in [standardOutput, standardError] where output.fd >= 0 && read(output) { return }
    if !isDone { answer() }
  }

  private func answer() {
    if let failure, !isTimedOut { return fail(failure) }
    var response = ProtobufWriter()
    response.put(1, standardOutput.content)
    response.put(2, standardError.content)
    response.put(3, code ?? 137)
    response.put(4, isTimedOut)
    call.succeed(response.bytes)
    cleanUp()
  }

  private func fail(_ failure: Failure) {
    call.fail(failure)
    cleanUp()
  }

  private func cleanUp() {
    isDone = true
    reaper.loop.cancel(timeout)
    reaper.loop.cancel(quietTimer)
    close(standardOutput)
    close(standardError)
    if standardOutput.content.count + standardError.content.count > 64 << 10 { shim_trim_heap() }
    for file in [specFile, pidFile, logFile] { Files.remove(file) }
    finished(self)
  }
}
