import NIOCore
import Synchronization

/// The open connections of a server, so that it can bound them, end them, and wait for that.
final class Connections: Sendable {
  private struct Entry {
    let loop: any EventLoop
    let handler: NIOLoopBound<ConnectionHandler>
    /// Not yet upgraded.
    var isStranger = true
  }
  private struct State {
    var open: [ObjectIdentifier: Entry] = [:]
    var strangers = 0
    var isClosed = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())
  private let limit: Int

  init(strangers: Int) { limit = strangers }

  /// False where there are too many that have not been upgraded, or where the server goes down; it is counted all the same.
  func add(_ handler: ConnectionHandler, on loop: any EventLoop) -> Bool {
    let entry = Entry(loop: loop, handler: NIOLoopBound(handler, eventLoop: loop))
    let id = ObjectIdentifier(handler)
    return state.withLock { state in
      state.open[id] = entry
      state.strangers += 1
      return state.strangers <= limit && !state.isClosed
    }
  }

  /// The connection was upgraded.
  func admitted(_ handler: ConnectionHandler) {
    let id = ObjectIdentifier(handler)
    state.withLock { state in
      guard state.open[id]?.isStranger == true else { return }
      state.open[id]?.isStranger = false
      state.strangers -= 1
    }
  }

  func remove(_ handler: ConnectionHandler) {
    let id = ObjectIdentifier(handler)
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      if let entry = state.open.removeValue(forKey: id), entry.isStranger { state.strangers -= 1 }
      guard state.open.isEmpty else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func shutDown() {
    let entries = state.withLock { state in
      state.isClosed = true
      return Array(state.open.values)
    }
    for entry in entries { entry.loop.execute { entry.handler.value.shutDown() } }
  }

  /// Returns when no connection is open.
  func over() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if !state.open.isEmpty { state.waiters.append(continuation) }
        return state.open.isEmpty
      }
      if isOver { continuation.resume() }
    }
  }
}
