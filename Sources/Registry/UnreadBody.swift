import NIOCore
import NIOHTTP1
import Synchronization

/// What came of responses' bodies before their connections were reset, and was not read by then.
///
/// The HTTP client drops what its reader has not asked for when a connection fails; a resumed transfer would fetch it a second time. A request that
/// wants it carries a number in a header that never leaves the process.
final class UnreadBodies: Sendable {
  /// Known to ``UnreadBody`` only, which takes it from the request.
  static let header = "Berth-Transfer"

  private struct State {
    var last = 0
    var kept: [Int: [ByteBuffer]] = [:]
  }

  private let state = Mutex(State())

  /// A number for one request; ``close(_:)`` ends it.
  func open() -> Int {
    state.withLock { state in
      state.last += 1
      state.kept[state.last] = []
      return state.last
    }
  }

  func close(_ number: Int) { state.withLock { $0.kept[number] = nil } }

  func keep(_ buffer: ByteBuffer, for number: Int) { state.withLock { $0.kept[number]?.append(buffer) } }

  /// In the order in which they came, after all that the HTTP client has given.
  func take(_ number: Int) -> [ByteBuffer] {
    state.withLock { state in
      defer { state.kept[number]? = [] }
      return state.kept[number] ?? []
    }
  }
}

/// Sees to it that ``UnreadBodies`` gets what nobody asked for when a connection is reset. Directly above the HTTP decoder.
final class UnreadBody: ChannelDuplexHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias InboundOut = HTTPClientResponsePart
  typealias OutboundIn = HTTPClientRequestPart
  typealias OutboundOut = HTTPClientRequestPart

  private let bodies: UnreadBodies
  /// Of the request under way.
  private var number: Int?
  private var isLast = false

  init(_ bodies: UnreadBodies) { self.bodies = bodies }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .head(var head) = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
    number = head.headers.first(name: UnreadBodies.header).flatMap { Int($0) }
    head.headers.remove(name: UnreadBodies.header)
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is SurrenderEvent { isLast = true } else { context.fireUserInboundEventTriggered(event) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard isLast, let number, case .body(let buffer) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    bodies.keep(buffer, for: number)
  }
}
