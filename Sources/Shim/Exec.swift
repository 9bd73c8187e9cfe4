import CLinux

/// A process beside a container's init: `runc exec --detach`, with streams that the caller made and the shim never touches.
final class Exec {
  /// Where it is in its life.
  private enum Phase {
    /// May become starting, or be dropped.
    case created
    /// The runtime's exec runs. Becomes running or stopped.
    case starting(RuntimeCommand)
    /// Becomes stopped.
    case running(Process)
    case stopped(Exit)
  }

  /// From HUP to KILL, for a process whose client is gone.
  private static let farewell: Int64 = 2_000
  /// For a runtime's exec whose process is not wanted any more.
  private static let startGrace: Int64 = 1_000

  let container: Container
  let id: Bytes
  /// Of the client that asked for it, and without which it does not live on.
  let connection: Int
  private let request: ExecRequest
  private let files: Bytes
  private let mark: UInt64
  private var stdio: Stdio
  private var phase = Phase.created
  private var tree: ProcessTree?
  private var failure: Failure?
  private var isKilled = false
  private var afterStart: (Failure?) -> Void = { _ in }
  private var afterEnd: [(Exit) -> Void] = []
  private var reaper: Reaper { container.pod.reaper }

  /// `number` sets its files apart from those of other execs. Opens the request's FIFOs.
  init(_ container: Container, _ request: ExecRequest, connection: Int, number: Int64) throws(SystemFailure) {
    self.container = container
    self.request = request
    self.connection = connection
    id = request.execID
    mark = ProcessTree.marks + UInt64(number)
    files = container.pod.directory + "/exec-" + Bytes(decimal: number)
    stdio = request.console == nil ? try Stdio(input: request.input, output: request.output, error: request.error) : Stdio()
    stdio.give(to: container.options)
  }

  private var pidFile: Bytes { files + ".pid" }
  private var specFile: Bytes { files + ".json" }
  private var logFile: Bytes { files + ".log" }

  var process: Process? {
    if case .running(let process) = phase { return process }
    return nil
  }

  var exit: Exit? {
    if case .stopped(let exit) = phase { return exit }
    return nil
  }

  var isStarted: Bool {
    if case .created = phase { return false }
    return true
  }

  /// `done` hears why it could not be started; by then there is no such process any more.
  func start(_ done: @escaping (Failure?) -> Void) {
    afterStart = done
    guard Files.write(specFile, request.process) else {
      return stop(Exit(startError: Failure(.internal, SystemFailure("exec: writing", specFile).message)))
    }
    var program = Program(arguments: container.options.runtime.arguments(log: logFile, verb))
    program.directory = request.console?.directory ?? container.bundle
    program.score = request.score
    program.input = stdio.input
    program.output = stdio.output
    program.error = stdio.error
    program.mark = mark
    reaper.expectIntroduction()
    phase = .starting(RuntimeCommand(reaper: reaper, program, log: logFile) { outcome in self.started(outcome) })
    closeStdio()
  }

  /// The console's name is relative to the runtime's directory: a socket's address holds only 107 bytes.
  private var verb: [Bytes] {
    let console = request.console.map { [Bytes("--console-socket"), $0.name] } ?? []
    return [Bytes("exec"), Bytes("--detach"), Bytes("--process"), specFile, Bytes("--pid-file"), pidFile] + console + [container.id]
  }

  private func closeStdio() {
    stdio.closeAll()
    stdio = Stdio()
  }

  private func started(_ outcome: RuntimeCommand.Outcome) {
    let process = Process(pidFile: pidFile, reaper: reaper) { code in self.ended(code) }
    for file in [specFile, pidFile, logFile] { Files.remove(file) }
    if let process {
      tree = ProcessTree(root: process.pid, cgroup: container.cgroup, mark: mark)
      phase = .running(process)
    }
    reaper.introductionOver()
    failure = Self.failure(outcome, hasProcess: process != nil)
    if failure == nil { answerStart(nil) }
    if process == nil { return stop(Exit(startError: failure ?? .malformed)) }
    if failure != nil || isKilled { kill() }
  }

  private static func failure(_ outcome: RuntimeCommand.Outcome, hasProcess: Bool) -> Failure? {
    switch outcome {
    case .succeeded: hasProcess ? nil : Failure(.internal, "OCI runtime exec left no process of its own")
    case .failed(let failure): Failure(failure.code, "OCI runtime exec failed: " + failure.message)
    case .timedOut: Failure(.internal, "OCI runtime exec was killed")
    }
  }

  private func ended(_ code: Int32) { stop(failure.map { Exit(startError: $0) } ?? Exit(code: code)) }

  private func stop(_ exit: Exit) {
    phase = .stopped(exit)
    closeStdio()
    answerStart(exit.failure)
    let waiting = afterEnd
    afterEnd = []
    for body in waiting { body(exit) }
  }

  private func answerStart(_ failure: Failure?) {
    let done = afterStart
    afterStart = { _ in }
    done(failure)
  }

  func whenEnded(_ body: @escaping (Exit) -> Void) {
    if let exit { body(exit) } else { afterEnd.append(body) }
  }

  /// To the process and its group, or to all that it started. Whether it was still there.
  func signal(_ number: Int32, all: Bool) -> Bool {
    guard isStarted else { return false }
    if all && number == SIGKILL {
      kill()
      return true
    }
    guard exit == nil else { return false }
    process?.signalGroup(number)
    return process?.signal(number) ?? false
  }

  /// All that it started, until nothing of it is left.
  func kill() {
    isKilled = true
    switch phase {
    case .created: stop(Exit(code: 137))
    case .starting: reaper.loop.after(milliseconds: Self.startGrace) { self.giveUp() }
    case .running, .stopped: killTree()
    }
  }

  /// A runtime killed before it has written down which process it began would leave that to nobody: it gets a moment, then goes with all it has.
  private func giveUp() {
    guard case .starting(let command) = phase, let pid = command.pid else { return }
    _ = ProcessTree(root: pid, cgroup: Cgroup(path: [], hierarchies: container.pod.hierarchies), mark: 0).kill()
    command.giveUp()
  }

  /// Again ever more seldom: what waits for a dead disk does not end for as long as that lasts.
  private func killTree(wait: Int64 = 10) {
    let isAny = tree?.kill() == true
    // One that stands for a process elsewhere is not in the container's cgroup.
    process?.signal(SIGKILL)
    guard isAny else { return }
    reaper.loop.after(milliseconds: wait) { self.killTree(wait: min(2 * wait, 1000)) }
  }

  /// As if its terminal's line had been cut; nothing that it started outlives it.
  func hangUp() {
    guard exit == nil else { return }
    guard signal(SIGHUP, all: false) else { return kill() }
    whenEnded { _ in self.killTree() }
    reaper.loop.after(milliseconds: Self.farewell) { if self.exit == nil { self.kill() } }
  }
}
