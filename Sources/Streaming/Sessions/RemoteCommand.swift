import Core
import Linux
import Logging
import NIOCore

/// One exec or attach of one client: waits for the client's streams, opens the session, carries bytes both ways, says how it ended.
///
/// Lives on its connection's event loop.
final class RemoteCommand: Conversation {
  enum Role: String { case stdin, stdout, stderr, error, resize }

  /// What the protocol's version decides.
  struct Dialect {
    /// The end is told as a Status object, not as text.
    let hasStatusObjects: Bool
    let knowsResize: Bool
  }

  /// May only move downwards.
  enum State {
    /// The client makes its streams.
    case gathering(deadline: Scheduled<Void>)
    case opening
    case running(any StreamSession)
    case over
  }

  /// How long a client may take to make its streams.
  static let gatheringTime = TimeAmount.seconds(30)
  /// After the process's end its output is read to the end; who else holds the pipe open is not waited for longer than this.
  static let grace = TimeAmount.milliseconds(250)

  let command: Command
  let dialect: Dialect
  let loop: any EventLoop
  var state: State
  var streams: [Role: any Substream] = [:]
  var input: Pump?
  var outputs: [Pump] = []
  var openOutputs = 0
  var exit: CommandStatus?
  var exitWait: Task<Void, Never>?
  var window = TerminalWindow()
  /// Lets the client's input through; it waits for the size that came before it.
  var beginInput: (() -> Void)?
  /// Ends the connection, when all was sent.
  var finish: () -> Void = {}

  /// What was asked for.
  struct Command {
    let streams: CommandStreams
    let open: @Sendable () async throws -> any StreamSession
    /// Of an attach nobody learns the exit code.
    let tellsExitCode: Bool
    /// Keeps the server from going down before the session has ended.
    let work: WorkCount
    let span: Span?
    let logger: Logger
  }

  init(_ command: Command, _ dialect: Dialect, on loop: any EventLoop) {
    self.command = command
    self.dialect = dialect
    self.loop = loop
    state = .opening
    let bound = NIOLoopBound(self, eventLoop: loop)
    state = .gathering(
      deadline: loop.scheduleTask(in: Self.gatheringTime) {
        let command = bound.value
        command.conclude(.failure("the client did not make its streams in time"))
      })
  }

  /// Streams without which the session does not begin.
  private var wanted: Set<Role> {
    var roles: Set<Role> = [.error]
    if command.streams.stdin { roles.insert(.stdin) }
    if command.streams.stdout { roles.insert(.stdout) }
    if command.streams.stderr { roles.insert(.stderr) }
    if command.streams.terminal && dialect.knowsResize { roles.insert(.resize) }
    return roles
  }

  /// A SPDY client made a stream: its header says what for.
  func opened(_ stream: SPDYSubstream, _ headers: HeaderBlock) {
    guard case .gathering = state, let role = headers["streamtype"].flatMap(Role.init), streams[role] == nil else {
      return stream.reset(.protocolError)
    }
    stream.accept()
    add(stream, as: role)
  }

  func add(_ stream: any Substream, as role: Role) {
    streams[role] = stream
    if role == .resize { stream.receiver = ResizeReceiver(stream, self) }
    if role == .stdin && command.streams.stdin { makeInput(stream) }
    guard case .gathering(let deadline) = state, wanted.isSubset(of: streams.keys) else { return }
    deadline.cancel()
    state = .opening
    open()
  }

  func connectionLost() {
    if case .gathering(let deadline) = state { deadline.cancel() }
    if case .running(let session) = state { end(session) }
    state = .over
    command.span?.end()
    streams = [:]
    dropPumps()
    finish = {}
  }

  private func makeInput(_ stream: any Substream) {
    input = Pump(stream, toClient: false, toDescriptor: true) { _ in }
  }

  /// The client is gone or all is told. The session's own end is waited for by nobody but the server.
  func end(_ session: any StreamSession) {
    exitWait?.cancel()
    let work = command.work
    work.begin()
    Task {
      await session.end()
      work.end()
    }
  }

  /// Lets go of all descriptors.
  func dropPumps() {
    for pump in outputs + [input].compactMap({ $0 }) { pump.abandon() }
    outputs = []
    input = nil
    letInputBegin()
  }

  /// Once: without effect afterwards.
  func letInputBegin() {
    let begin = beginInput
    beginInput = nil
    begin?()
  }

  /// The descriptors of a session that has begun.
  func connect(_ descriptors: consuming SessionStreams) {
    let stdin = descriptors.stdin.take()?.release()
    beginInput = { [unowned self] in connectInput(stdin) }
    connect(.stdout, descriptors.stdout.take()?.release(), command.streams.stdout)
    connect(.stderr, descriptors.stderr.take()?.release(), command.streams.stderr)
  }

  private func connectInput(_ descriptor: Int32?) {
    if let descriptor, let input { return input.run(descriptor, writing: true, on: loop) }
    if let descriptor { _ = FileHandle(owning: descriptor) }
    input?.abandon()
  }

  private func connect(_ role: Role, _ descriptor: Int32?, _ isWanted: Bool) {
    guard let stream = streams[role] else {
      if let descriptor { _ = FileHandle(owning: descriptor) }
      return
    }
    guard isWanted, let descriptor else {
      stream.finish()
      if let descriptor { _ = FileHandle(owning: descriptor) }
      return
    }
    openOutputs += 1
    let pump = Pump(stream, toClient: true, toDescriptor: false) { [weak self] _ in self?.outputEnded() }
    outputs.append(pump)
    pump.run(descriptor, writing: false, on: loop)
  }

  private func outputEnded() {
    openOutputs -= 1
    concludeIfDone()
  }
}

/// The resize stream: sizes go to the session as they come.
private final class ResizeReceiver: SubstreamReceiver {
  private let stream: any Substream
  private weak var command: RemoteCommand?
  private var parser = ResizeParser()

  init(_ stream: any Substream, _ command: RemoteCommand) {
    self.stream = stream
    self.command = command
  }

  func received(_ bytes: ByteBuffer) {
    stream.took(bytes.readableBytes)
    if let last = parser.feed(bytes).last { command?.resize(last) }
  }

  func receivedEnd() {}
  func wasReset() {}
}
