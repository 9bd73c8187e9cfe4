import CLinux

extension Container {
  /// For a runtime create that hangs when the container is to be killed or deleted.
  private static let createGrace: Int64 = 3_000

  func kill(_ call: Call, signal: Int32, all: Bool) {
    guard signal >= 0, signal < 65 else { return call.fail(Failure(.invalidArgument, "there is no such signal")) }
    if signal == SIGKILL { abandon() }
    join {
      let found = all ? self.cgroup.signal(signal) : false
      guard let process = self.process else { return all && found ? call.succeed() : call.fail(self.noProcess) }
      guard process.signal(signal) || found else { return call.fail(self.noProcess) }
      if signal == SIGKILL && self.isPaused { self.thaw() }
      call.succeed()
    }
  }

  private var noProcess: Failure { Failure(.notFound, "container " + id + " has no process any more") }

  /// The runtime gets a little longer to end by itself.
  func abandon() {
    isAbandoned = true
    guard case .creating = phase else { return }
    let command = self.command
    loop.after(milliseconds: Self.createGrace) { command?.giveUp() }
  }

  /// A frozen process dies only after it is thawed (cgroup v1).
  func thaw() {
    isPaused = false
    RuntimeCommand(reaper: pod.reaper, program([Bytes("resume"), id]), log: bundle + "/resume.log", deadline: 10_000) { _ in }
  }

  func setPaused(_ paused: Bool, _ call: Call) {
    guard case .running = phase else { return call.fail(Failure(.failedPrecondition, "container " + id + " does not run")) }
    let program = program([Bytes(paused ? "pause" : "resume"), id])
    RuntimeCommand(reaper: pod.reaper, program, log: runtimeLog, deadline: 30_000) { outcome in
      switch outcome {
      case .succeeded:
        self.isPaused = paused
        call.succeed()
      case .failed(let failure): call.fail(failure)
      case .timedOut: call.fail(Failure(.internal, "the OCI runtime did not end and was killed"))
      }
    }
  }
}
