import Linux
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
  }
  private let state = Mutex(State())
  private let count = WorkCount()
  private let limit: Int

  init(strangers: Int) { limit = strangers }

  /// False where there are too many that have not been upgraded, or where the server goes down; it is counted all the same.
  func add(_ handler: ConnectionHandler, on loop: any EventLoop) -> Bool {
    let entry = Entry(loop: loop, handler: NIOLoopBound(handler, eventLoop: loop))
    let id = ObjectIdentifier(handler)
    count.begin()
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

  /// Once counts.
  func remove(_ handler: ConnectionHandler) {
    let id = ObjectIdentifier(handler)
    let wasOpen = state.withLock { state in
      guard let entry = state.open.removeValue(forKey: id) else { return false }
      if entry.isStranger { state.strangers -= 1 }
      return true
    }
    if wasOpen { count.end() }
  }

  func shutDown() {
    let entries = state.withLock { state in
      state.isClosed = true
      return Array(state.open.values)
    }
    for entry in entries { entry.loop.execute { entry.handler.value.shutDown() } }
  }

  /// Returns when no connection is open.
  func over() async { await count.over() }
}
