import Core
import Linux
import NIOCore

/// One exec or attach: our descriptors on one side, the server's channels on the other. Lives on its connection's event loop.
final class RemoteSession: ChannelReceiver {
  /// What is connected with what.
  struct Plan: Sendable {
    let console: Console
    /// Our input's descriptor; nil where none is passed on.
    var input: Int32?
    /// The descriptor of our terminal, whose size is told and whose keys go through as they are.
    var terminal: Int32?
    var detachKeys = DetachKeys.standard
    /// Those keys are looked for.
    var canDetach = false
  }

  /// Numbers in `v5.channel.k8s.io`.
  private enum Channel {
    static let stdin: UInt8 = 0
    static let stdout: UInt8 = 1
    static let stderr: UInt8 = 2
    static let status: UInt8 = 3
    static let resize: UInt8 = 4
  }

  private struct Piece: Sendable {
    let descriptor: Int32
    let bytes: ByteBuffer
  }

  /// Bytes of a status; more is none.
  private static let statusLimit = 1 << 20

  private let plan: Plan
  private let done: EventLoopPromise<RemoteEnd>
  private let loop: any EventLoop
  private var connection: ChannelConnection?
  private var reader: InputReader?
  private var status: [UInt8] = []
  /// Output that is not being written yet.
  private var batch: [Piece] = []
  private var isWriting = false
  /// Set when nothing more will come; told when everything is written.
  private var end: Result<RemoteEnd, any Error>?

  private init(_ plan: Plan, _ done: EventLoopPromise<RemoteEnd>, on loop: any EventLoop) {
    self.plan = plan
    self.done = done
    self.loop = loop
  }

  /// From the connection to the end of the session. A cancelled task detaches.
  static func run(_ url: String, _ plan: Plan, _ dialer: StreamDialer) async throws -> RemoteEnd {
    let loop = dialer.loop
    let done = loop.makePromise(of: RemoteEnd.self)
    let running = NIOLoopBoundBox<RemoteSession?>.makeEmptyBox(eventLoop: loop)
    do {
      try await dialer.connect(url) { address in
        let session = RemoteSession(plan, done, on: loop)
        let connection = ChannelConnection(address, session)
        session.connection = connection
        running.value = session
        return connection
      }
    } catch {
      done.fail(error)
    }
    return try await withTaskCancellationHandler {
      try await done.futureResult.get()
    } onCancel: {
      loop.execute { running.value?.leave(.detached) }
    }
  }

  // MARK: From the server

  func opened() {
    if plan.terminal != nil { followSize() }
    if let input = plan.input { read(input) }
  }

  func received(_ channel: UInt8, _ bytes: ByteBuffer) {
    switch channel {
    case Channel.stdout: batch.append(Piece(descriptor: plan.console.out, bytes: bytes))
    case Channel.stderr: batch.append(Piece(descriptor: plan.console.errors, bytes: bytes))
    case Channel.status where status.count < Self.statusLimit: status += bytes.readableBytesView
    default: break
    }
  }

  func batchEnded() { writeBatch() }

  func closed(_ failure: Failure?) {
    reader?.stop()
    connection = nil
    if end == nil { end = status.isEmpty && failure != nil ? .failure(failure ?? Failure("")) : .success(RemoteEnd(status: status)) }
    writeBatch()
  }

  // MARK: To our output

  /// Nothing more is read from the server while our own reader is slow.
  private func writeBatch() {
    guard !isWriting else { return }
    guard !batch.isEmpty else { return conclude() }
    isWriting = true
    let pieces = batch
    batch = []
    let bound = NIOLoopBound(self, eventLoop: loop)
    Self.write(pieces, on: loop) { bound.value.wrote($0) }
  }

  /// Whatever takes its time, our reader above all, is waited for elsewhere.
  private static func write(_ pieces: [Piece], on loop: any EventLoop, then: @escaping @Sendable (Bool) -> Void) {
    Task {
      let written = await BlockingWork.run { write(pieces) }
      loop.execute { then(written) }
    }
  }

  private static func write(_ pieces: [Piece]) -> Bool {
    for piece in pieces {
      do { try Files.write(Array(piece.bytes.readableBytesView), to: piece.descriptor, "output") } catch { return false }
    }
    return true
  }

  private func wrote(_ whole: Bool) {
    isWriting = false
    if !whole {
      batch = []
      leave(.outputClosed)
    }
    writeBatch()
  }

  /// All is written: goes on, or tells the end.
  private func conclude() {
    guard let end else {
      connection?.readMore()
      return
    }
    reader?.stop()
    done.completeWith(end)
  }

  /// Ends the session from our side.
  private func leave(_ how: RemoteEnd) {
    guard end == nil else { return }
    end = .success(how)
    connection?.close()
  }

  // MARK: From our input

  private func read(_ descriptor: Int32) {
    guard let reader = try? InputReader(descriptor) else { return }
    self.reader = reader
    let sender = InputSender(NIOLoopBound(self, eventLoop: loop), loop, plan.canDetach ? plan.detachKeys : nil)
    sender.begin(reader)
  }

  /// On the reader's thread.
  private struct InputSender: Sendable {
    let session: NIOLoopBound<RemoteSession>
    let loop: any EventLoop
    let keys: DetachKeys?

    init(_ session: NIOLoopBound<RemoteSession>, _ loop: any EventLoop, _ keys: DetachKeys?) {
      self.session = session
      self.loop = loop
      self.keys = keys
    }

    func begin(_ reader: InputReader) { Task { await BlockingWork.run { serve(reader) } } }

    private func serve(_ reader: InputReader) {
      var keys = keys
      var isDetached = false
      let end = reader.read { bytes in
        guard var typed = keys else { return send(bytes) }
        let (passed, detached) = typed.filter(bytes)
        keys = typed
        isDetached = detached
        return (passed.isEmpty || send(passed)) && !detached
      }
      if isDetached { loop.execute { session.value.leave(.detached) } }
      if case .endOfFile = end { loop.execute { session.value.connection?.finish(Channel.stdin) } }
    }

    /// Waits until the kernel has taken it.
    private func send(_ bytes: [UInt8]) -> Bool {
      let sent = loop.flatSubmit {
        session.value.connection?.send(Channel.stdin, ByteBuffer(bytes: bytes)) ?? loop.makeFailedFuture(ChannelError.alreadyClosed)
      }
      return (try? sent.wait()) != nil
    }
  }

  // MARK: Size

  private func followSize() {
    tellSize()
    let bound = NIOLoopBound(self, eventLoop: loop)
    let loop = loop
    try? RawTerminal.onResize { loop.execute { bound.value.tellSize() } }
  }

  private func tellSize() {
    guard let terminal = plan.terminal, let size = Terminal.size(of: terminal) else { return }
    connection?.send(Channel.resize, ByteBuffer(string: "{\"Width\":\(size.columns),\"Height\":\(size.rows)}\n"))
  }
}
