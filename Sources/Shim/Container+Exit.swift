import CLinux

extension Container {
  /// A container whose log is still being written is not yet published as ended, but not for longer than this.
  private static let drainMilliseconds: Int64 = 200
  /// For what init left behind in a shared PID namespace.
  private static let killRounds = 200
  /// For a runtime start whose init is gone.
  private static let startGrace: Int64 = 5_000

  /// Called when init is reaped, whatever runs beside.
  func initEnded(_ code: Int32) {
    var exit = Exit(code: code)
    exit.oomKilled = cgroup.oomKills > oomKillsBefore
    if case .starting = phase {
      earlyExit = exit
      let command = self.command
      loop.after(milliseconds: Self.startGrace) { command?.giveUp() }
    } else if let startFailure {
      end(Exit(startError: startFailure))
    } else {
      end(exit)
    }
  }

  func end(_ exit: Exit) {
    phase = .ending(exit)
    closeInput()
    guard options.sharesPID else { return drain(exit) }
    killRest(exit, rounds: Self.killRounds)
  }

  private func killRest(_ exit: Exit, rounds: Int) {
    guard rounds > 0, cgroup.signal(SIGKILL) else { return drain(exit) }
    loop.after(milliseconds: 10) { self.killRest(exit, rounds: rounds - 1) }
  }

  private func drain(_ exit: Exit) {
    guard let log else { return publish(exit) }
    log.whenDrained(within: Self.drainMilliseconds) { self.publish(exit) }
  }

  /// The record first, then whoever waits.
  func publish(_ exit: Exit) {
    phase = .stopped(exit)
    closeInput()
    notifier?.signal(SIGKILL)
    if !Files.replace(exitPath, exit.json) { note(SystemFailure("exit record", exitPath).message) }
    answerStart(exit.failure ?? Failure(.failedPrecondition, "container " + id + " has ended"))
    answerWait(exit)
    if case .wanted = deletion { runDelete() }
  }

  func wait(_ call: Call) {
    waitCalls.append(call)
    if let exit { answerWait(exit) }
  }

  private func answerWait(_ exit: Exit) {
    for call in waitCalls { call.succeed(exit.waitAnswer) }
    waitCalls = []
  }
}
