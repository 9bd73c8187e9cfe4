import CLinux

extension Container {
  private static let pipeSize: Int32 = 512 << 10

  /// Begins the create in the background. Throws where not even that was possible; then nothing is left.
  func create() throws(Failure) {
    let ends = try makeStdio()
    Files.remove(pidFile)
    Files.remove(exitPath)
    var program = program(createVerb)
    program.input = ends.input
    program.output = ends.output
    program.error = ends.error
    program.rootfs = options.rootfs
    program.rootfs?.target = rootfsPath
    _ = Files.makeDirectory(rootfsPath)
    if options.seccompNotifier { startNotifier() }
    pod.reaper.expectIntroduction()
    command = RuntimeCommand(reaper: pod.reaper, program, log: runtimeLog, deadline: options.createLimit) { outcome in self.created(outcome)
    }
    ends.closeAll()
  }

  private var createVerb: [Bytes] {
    let socket = console == nil ? [] : [Bytes("--console-socket"), Bytes(Console.name)]
    return [Bytes("create"), Bytes("--bundle"), bundle, Bytes("--pid-file"), pidFile] + socket + options.createOptions + [id]
  }

  private func makeStdio() throws(Failure) -> Stdio {
    var ends = Stdio()
    var mine = Stdio()
    do throws(SystemFailure) {
      if terminal {
        console = try Console(bundle: bundle)
      } else {
        (mine.output, ends.output) = try pipe()
        (mine.error, ends.error) = try pipe()
        if options.stdin { (ends.input, input) = try makeInput() }
      }
      ends.give(to: options)
      log = ContainerLog(loop: loop, path: options.logPath, limit: options.logLineLimit, output: mine.output, error: mine.error)
      mine = Stdio()
      guard log != nil else { throw SystemFailure("log thread of", id, EAGAIN) }
      log?.lost = { [pod] in pod.logLost() }
      return ends
    } catch {
      ends.closeAll()
      mine.closeAll()
      closeInput()
      console?.remove()
      throw Failure(.internal, error.message)
    }
  }

  /// A FIFO, so that a client can write into it directly; this end keeps it open between clients. One with an SELinux label is there already.
  private func makeInput() throws(SystemFailure) -> (Int32, Int32) {
    guard inputPath.withCString({ mkfifo($0, 0o600) }) == 0 || clinux_errno() == EEXIST else { throw SystemFailure("stdin", inputPath) }
    let reader = try Stdio.openEnd(inputPath, O_RDONLY)
    _ = clinux_fcntl_int(reader, F_SETFL, 0)
    do throws(SystemFailure) { return (reader, try Stdio.openEnd(inputPath, O_WRONLY)) } catch {
      close(reader)
      throw error
    }
  }

  private func pipe() throws(SystemFailure) -> (Int32, Int32) {
    var ends: (Int32, Int32) = (-1, -1)
    let made = withUnsafeMutableBytes(of: &ends) { shim_pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
    guard made == 0 else { throw SystemFailure("pipe for", id) }
    // A container that writes much is held up less. Only a wish.
    _ = clinux_fcntl_int(ends.0, F_SETPIPE_SZ, Self.pipeSize)
    return ends
  }

  private func created(_ outcome: RuntimeCommand.Outcome) {
    command = nil
    switch outcome {
    case .succeeded: introduce()
    case .failed(let failure): createFailed(Failure(failure.code, "OCI runtime create failed: " + failure.message))
    case .timedOut: createFailed(Failure(.internal, "OCI runtime create did not end in time and was killed"))
    }
    pod.reaper.introductionOver()
    let joined = afterCreate
    afterCreate = []
    for body in joined { body() }
  }

  /// The runtime wrote down which process is init; from here on it is the shim's.
  private func introduce() {
    guard let process = Process(pidFile: pidFile, reaper: pod.reaper, ended: { code in self.initEnded(code) }) else {
      return createFailed(Failure(.internal, "OCI runtime create left no process of its own in " + pidFile))
    }
    pid = process.pid
    phase = .created(process)
    oomKillsBefore = cgroup.oomKills
    log?.release(terminal: takeTerminal())
    if terminal && master < 0 { note("container " + id + ": the OCI runtime handed over no terminal") }
  }

  /// The log thread reads one descriptor of the master, the main thread keeps another.
  private func takeTerminal() -> Int32 {
    guard let console else { return -1 }
    master = console.take()
    console.remove()
    self.console = nil
    if master >= 0 { _ = shim_set_nonblocking(master) }
    return master < 0 ? -1 : clinux_fcntl_int(master, F_DUPFD_CLOEXEC, 3)
  }

  private func createFailed(_ failure: Failure) {
    console?.remove()
    console = nil
    cgroup.signal(SIGKILL)
    log?.finish(milliseconds: 0)
    publish(isAbandoned ? Exit(code: 137) : Exit(startError: failure))
  }
}
