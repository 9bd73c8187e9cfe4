import Core
import Linux
import Logging
import NIOCore

extension RemoteCommand {
  func open() {
    let bound = NIOLoopBound(self, eventLoop: loop)
    Errand.run(from: loop, command.work, command.open) { bound.value.opened($0) }
  }

  private func opened(_ result: Result<any StreamSession, Fault>) {
    switch (result, state) {
    case (.success(let session), .opening):
      state = .running(session)
      connect(session.takeStreams())
      awaitExit(session)
      tellSize()
    case (.success(let session), _): end(session)
    case (.failure(let fault), _):
      command.logger.info("session not opened", metadata: ["error": "\(fault)"])
      conclude(.failure("\(fault)"))
    }
  }

  private func awaitExit(_ session: any StreamSession) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    let tellsExitCode = command.tellsExitCode
    exitWait = Errand.run(from: loop, command.work) {
      try await session.exit()
    } then: {
      bound.value.exited(CommandStatus($0, tellsExitCode: tellsExitCode))
    }
  }

  private func exited(_ status: CommandStatus) {
    guard case .running = state else { return }
    exit = status
    concludeIfDone()
    guard openOutputs > 0 else { return }
    let bound = NIOLoopBound(self, eventLoop: loop)
    loop.scheduleTask(in: Self.grace) { for output in bound.value.outputs { output.readRest() } }
  }

  /// The process has ended and all that it wrote is sent.
  func concludeIfDone() {
    if let exit, openOutputs == 0, case .running = state { conclude(exit) }
  }

  /// Tells the client the end, and lets go of the session.
  func conclude(_ status: CommandStatus) {
    switch state {
    case .over: return
    case .gathering(let deadline): deadline.cancel()
    case .opening: break
    case .running(let session): end(session)
    }
    state = .over
    command.span?.end(status)
    dropPumps()
    let bytes = dialect.hasStatusObjects ? status.object : Array((status.text ?? "").utf8)
    if let error = streams[.error] {
      if !bytes.isEmpty { error.send(ByteBuffer(bytes: bytes)) }
      error.finish()
    }
    for role in [.stdout, .stderr] as [Role] { streams[role]?.finish() }
    streams = [:]
    let finish = finish
    self.finish = {}
    finish()
  }
}

extension Span {
  fileprivate func end(_ status: CommandStatus) {
    switch status {
    case .success: set(["process.exit.code": 0])
    case .exitCode(let code): set(["process.exit.code": .int(Int64(code))])
    case .failure(let message): fail(message, type: "session")
    }
    end()
  }
}

extension CommandStatus {
  init(_ result: Result<ExitRecord, Fault>, tellsExitCode: Bool) {
    switch result {
    case .failure(let fault): self = .failure("\(fault)")
    case .success(let record) where !tellsExitCode || record.exitCode == 0: self = .success
    case .success(let record): self = .exitCode(record.exitCode)
    }
  }
}
