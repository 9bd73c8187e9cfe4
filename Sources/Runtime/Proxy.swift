import CLinux

/// Stands for a process of the shim as long as that runs: has its streams, passes signals on, and ends as it does.
final class Proxy {
  /// Milliseconds without output after the end that count as the end of it, and how long it may go on.
  private static let quiet: Int64 = 250
  private static let lastWords: Int64 = 10_000
  private static let deleteLimit: Int64 = 2_000
  private static let restAfter: Int32 = 1_000

  private let process: TaskProcess
  private let client: TaskClient
  private let shim: ForeignShim
  private let streams: Streams
  private let guardian: Int32
  /// A terminal's slave, or -1.
  private let terminal: Int32
  /// Where the shim logs, or -1.
  private let log: Int32
  private let signals: Int32
  private var outputs: [Pump] = []
  private var input: Pump?
  private var logged = Bytes()
  private var waiting: UInt32 = 0
  private var code: Int32?
  private var deadline: Int64 = 0
  private var polls = PollSet()
  private var isAwake = true

  init(_ process: TaskProcess, _ client: TaskClient, _ shim: ForeignShim, _ streams: Streams, terminal: Int32, guardian: Int32, log: Int32)
  {
    (self.process, self.client, self.shim, self.streams) = (process, client, shim, streams)
    (self.terminal, self.guardian, self.log) = (terminal, guardian, log)
    foreign_lead_session(terminal)
    signals = foreign_signals()
    let isTerminal = terminal >= 0
    if let target = streams.input { input = Pump(from: isTerminal ? Endpoint(terminal, isShared: true) : Endpoint(0), to: target) }
    outputs = [Pump(from: streams.output, to: isTerminal ? Endpoint(terminal, isShared: true) : Endpoint(1))]
    if let error = streams.error { outputs.append(Pump(from: error, to: Endpoint(2, isShared: true))) }
  }

  func run() -> Never {
    do throws(Failure) {
      waiting = try client.send("Wait", process.request)
      resize()
      while code == nil { try step() }
    } catch {
      lost(error)
    }
    while isPumping { pumpOnce() }
    finish()
  }

  private func step() throws(Failure) {
    let ready = poll(timeout: isAwake ? Self.restAfter : -1)
    if ready == 0 {
      isAwake = false
      return shim_rest()
    }
    isAwake = true
    if polls.isReady(1) { obey() }
    if polls.isReady(2) { readLog() }
    if polls.isReady(0) {
      try client.fill()
      while let reply = try client.nextReply() { take(reply) }
    }
  }

  private func poll(timeout: Int32) -> Int32 {
    polls.clear()
    _ = polls.add(code == nil ? client.descriptor : -1, POLLIN)
    _ = polls.add(signals, POLLIN)
    _ = polls.add(log, POLLIN)
    for pump in outputs { pump.join(&polls) }
    input?.join(&polls)
    let ready = polls.wait(timeout)
    for pump in outputs { serve(pump) }
    if let input {
      serve(input)
      if input.isOver || input.isLate { endInput() }
    }
    return ready
  }

  private func serve(_ pump: Pump) {
    pump.serve(polls)
    if let failure = pump.takeFailure() { note(complaint(failure)) }
  }

  /// The shim has all that came before.
  private func endInput() {
    input?.end()
    input = nil
    _ = try? client.send("CloseIO", process.closeInput)
  }

  /// Only Wait's answer matters: that a signal came too late is no news.
  private func take(_ reply: TaskClient.Reply) {
    guard reply.stream == waiting else { return }
    if let failure = reply.failure { note(complaint(failure)) }
    end(reply.failure == nil ? Int32(truncatingIfNeeded: TaskProcess.number(1, of: reply.payload)) : 255)
  }

  private func end(_ code: Int32) {
    self.code = code
    deadline = shim_monotonic() + Self.lastWords * 1_000_000
    input?.end()
    input = nil
  }

  private var isPumping: Bool { !outputs.allSatisfy { $0.isOver } && shim_monotonic() < deadline }

  /// What children keep open holds nothing up.
  private func pumpOnce() {
    let isHeldUp = outputs.contains { $0.isHeldUp }
    if poll(timeout: Int32(Self.quiet)) == 0 && !isHeldUp { return deadline = 0 }
    if polls.isReady(1) { obey() }
    if polls.isReady(2) { readLog() }
  }

  private func obey() {
    var origin: Int32 = 0
    while case let signal = foreign_next_signal(signals, &origin), signal != 0 {
      if signal == SIGWINCH && origin != Int32(FOREIGN_SIGNAL_SENT.rawValue) {
        resize()
      } else if signal == SIGUSR2 && origin == Int32(FOREIGN_SIGNAL_NUDGE.rawValue) {
        // In place of the one that nobody can pass on.
        _ = try? client.send("Kill", process.kill(SIGKILL, all: process.exec.isEmpty))
      } else if code == nil {
        _ = try? client.send("Kill", process.kill(signal))
      }
    }
  }

  private func resize() {
    var (columns, rows): (Int32, Int32) = (0, 0)
    guard terminal >= 0, clinux_terminal_size(terminal, &columns, &rows) == 0, columns > 0, rows > 0 else { return }
    _ = try? client.send("ResizePty", process.resize(columns: columns, rows: rows))
  }

  private func readLog() {
    var chunk = Bytes()
    _ = Files.appendChunk(log, &chunk)
    logged = Bytes((logged + chunk).suffix(1024))
  }

  private func complaint(_ failure: Failure) -> Bytes {
    // That nobody wants its events is no news.
    let line = logged.split(separator: 10).map { Bytes($0) }.last { $0.find(" event") == nil }
    let words = line.map { " (its log ends with: " + $0 + ")" } ?? []
    return "berth-runtime: " + process.description + ": " + shim.name + ": " + failure.message + words
  }

  /// Without its shim nothing of a container may live on.
  private func lost(_ failure: Failure) {
    readLog()
    note(complaint(failure))
    if process.exec.isEmpty {
      do throws(Failure) { try shim.delete() } catch { note("berth-runtime: " + error.message) }
    }
    end(255)
  }

  private func finish() -> Never {
    if !process.exec.isEmpty { _ = try? client.call("Delete", process.request, within: Self.deleteLimit) }
    streams.remove()
    Guardian.release(guardian)
    _exit(code ?? 255)
  }
}
