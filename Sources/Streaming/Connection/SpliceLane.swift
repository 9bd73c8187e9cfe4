import Linux
import NIOCore
import NIOPosix

/// The way past this process's memory: a pipe whose bytes the kernel hands to the client's socket, and what waits behind them meanwhile.
struct SpliceLane {
  let pipe: SplicePipe
  /// The client's, which its channel owns.
  let socket: Int32
  private(set) var isBusy = false
  private var held: [ByteBuffer] = []
  private var end: Bool?

  init(_ pipe: SplicePipe, socket: Int32) {
    self.pipe = pipe
    self.socket = socket
  }

  mutating func begin() { isBusy = true }

  /// False where nothing needs to wait.
  mutating func hold(_ bytes: ByteBuffer) -> Bool {
    if isBusy { held.append(bytes) }
    return isBusy
  }

  /// The same for the connection's end, as ``ByteSink/end(waiting:)`` was told.
  mutating func hold(end waiting: Bool) -> Bool {
    if isBusy { end = waiting }
    return isBusy
  }

  /// All is on its way; what waited.
  mutating func free() -> (held: [ByteBuffer], end: Bool?) {
    defer { (isBusy, held, end) = (false, [], nil) }
    return (held, end)
  }
}

extension ConnectionHandler {
  /// What the client's socket did not take at once: so much is written as usual, which tells when there is room again.
  private static let step = 16 << 10

  var splices: Bool { isPlain }

  var freePipe: SplicePipe? {
    if lane == nil && isPlain { lane = makeLane() }
    return lane?.isBusy == false ? lane?.pipe : nil
  }

  private func makeLane() -> SpliceLane? {
    let socket = try? context?.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
    guard let socket, let pipe = try? SplicePipe() else { return nil }
    return SpliceLane(pipe, socket: socket)
  }

  func writePipe() {
    lane?.begin()
    write(thenPush: ByteBuffer())
  }

  /// Behind all that was written before.
  private func write(thenPush bytes: ByteBuffer) {
    guard let context else { return }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.writeAndFlush(Self.wrapOutboundOut(bytes)).whenSuccess { bound.value.push() }
  }

  private func push() {
    guard let context, context.channel.isActive, let lane, lane.isBusy else { return }
    do throws(SystemError) {
      while lane.pipe.count > 0 {
        let moved = try lane.pipe.drain(into: lane.socket)
        if moved > 0 { lastActivity = .now() } else { return write(thenPush: ByteBuffer(bytes: try lane.pipe.read(limit: Self.step))) }
      }
      laneIsFree(context)
    } catch { errorCaught(context: context, error: error) }
  }

  private func laneIsFree(_ context: ChannelHandlerContext) {
    guard let (held, end) = lane?.free() else { return }
    for bytes in held { context.write(Self.wrapOutboundOut(bytes), promise: nil) }
    context.flush()
    if let end { self.end(waiting: end) } else { canWriteAgain() }
  }
}
