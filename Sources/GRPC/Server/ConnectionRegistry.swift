import Linux
import NIOCore
import Synchronization

/// The open connections of a server, so that it can end them and wait for that.
final class ConnectionRegistry: Sendable {
  typealias Entry = NIOLoopBound<ServerConnection>

  private let open = Mutex<[ObjectIdentifier: (loop: any EventLoop, connection: Entry)]>([:])
  private let count = WorkCount()

  func add(_ connection: ServerConnection, on loop: any EventLoop) {
    let entry = Entry(connection, eventLoop: loop)
    let id = ObjectIdentifier(connection)
    count.begin()
    open.withLock { $0[id] = (loop, entry) }
  }

  /// Once counts.
  func remove(_ connection: ServerConnection) {
    let id = ObjectIdentifier(connection)
    if open.withLock({ $0.removeValue(forKey: id) != nil }) { count.end() }
  }

  /// Runs `body` for every connection, each on its own event loop.
  func forEach(_ body: @escaping @Sendable (ServerConnection) -> Void) {
    let entries = open.withLock { Array($0.values) }
    for (loop, connection) in entries { loop.execute { body(connection.value) } }
  }

  /// Returns when no connection is open.
  func empty() async { await count.over() }
}
