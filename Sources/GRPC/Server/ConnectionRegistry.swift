import NIOCore
import Synchronization

/// The open connections of a server, so that it can end them and wait for that.
final class ConnectionRegistry: Sendable {
  typealias Entry = NIOLoopBound<ServerConnection>

  private struct State {
    var open: [ObjectIdentifier: (loop: any EventLoop, connection: Entry)] = [:]
    var waiters: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())

  func add(_ connection: ServerConnection, on loop: any EventLoop) {
    let entry = Entry(connection, eventLoop: loop)
    let id = ObjectIdentifier(connection)
    state.withLock { $0.open[id] = (loop, entry) }
  }

  func remove(_ connection: ServerConnection) {
    let id = ObjectIdentifier(connection)
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.open[id] = nil
      guard state.open.isEmpty else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Runs `body` for every connection, each on its own event loop.
  func forEach(_ body: @escaping @Sendable (ServerConnection) -> Void) {
    let entries = state.withLock { Array($0.open.values) }
    for (loop, connection) in entries { loop.execute { body(connection.value) } }
  }

  /// Returns when no connection is open.
  func empty() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if !state.open.isEmpty { state.waiters.append(continuation) }
        return state.open.isEmpty
      }
      if isEmpty { continuation.resume() }
    }
  }
}
