import CLinux

extension Container {
  /// Joins the create, then starts. Answers when init runs or will not.
  func start(_ call: Call) {
    join {
      switch self.phase {
      case .created(let process):
        self.startCalls.append(call)
        self.start(process)
      case .starting: self.startCalls.append(call)
      case .running: call.fail(Failure(.failedPrecondition, "container " + self.id + " runs already"))
      case .ending, .stopped, .creating: call.fail(self.whyNotStarted)
      }
    }
  }

  private var whyNotStarted: Failure {
    exit?.failure ?? Failure(.failedPrecondition, "container " + id + " has ended")
  }

  private func start(_ process: Process) {
    phase = .starting(process)
    let program = program([Bytes("start"), id])
    command = RuntimeCommand(reaper: pod.reaper, program, log: runtimeLog) { outcome in self.started(process, outcome) }
  }

  private func started(_ process: Process, _ outcome: RuntimeCommand.Outcome) {
    command = nil
    switch outcome {
    case .succeeded:
      // Init may have ended before the runtime did: no container ends before it began.
      startedAt = min(shim_realtime(), earlyExit?.finishedAt ?? .max)
      phase = .running(process)
      answerStart(nil)
      if let earlyExit { end(earlyExit) }
    case .failed(let failure): startFailed(process, Failure(failure.code, "OCI runtime start failed: " + failure.message))
    case .timedOut: startFailed(process, Failure(.internal, "OCI runtime start did not end and was killed"))
    }
  }

  /// Start is answered when init is gone.
  private func startFailed(_ process: Process, _ failure: Failure) {
    if !isAbandoned { startFailure = failure }
    phase = .running(process)
    if let earlyExit { return end(isAbandoned ? earlyExit : Exit(startError: failure)) }
    if isPaused { thaw() }
    process.signal(SIGKILL)
  }

  func answerStart(_ failure: Failure?) {
    var response = ProtobufWriter()
    response.put(1, pid)
    for call in startCalls {
      if let failure { call.fail(failure) } else { call.succeed(response.bytes) }
    }
    startCalls = []
  }
}
