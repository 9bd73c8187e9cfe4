import CLinux

/// A request's return address: a stream of a connection that may be gone when the answer is ready.
struct Call {
  fileprivate let server: Server
  let connection: Int
  fileprivate let stream: UInt32

  func succeed(_ payload: Bytes = []) { server.send(self, TtrpcResponse.success(payload)) }
  func fail(_ failure: Failure) { server.send(self, TtrpcResponse.failure(failure)) }
}

/// ttrpc over the listening socket: any number of connections, answers in any order.
final class Server {
  typealias Dispatch = (TtrpcRequest, Call) -> Void

  private let loop: EventLoop
  private let listener: Int32
  private let dispatch: Dispatch
  private var connections = DescriptorTable<Connection>()
  private var lastSerial = 0
  /// Told the serial of every connection that ends.
  var connectionEnded: (Int) -> Void = { _ in }

  init(loop: EventLoop, listener: Int32, dispatch: @escaping Dispatch) {
    self.loop = loop
    self.listener = listener
    self.dispatch = dispatch
    _ = shim_set_nonblocking(listener)
    loop.watch(listener) { _ in self.accept() }
  }

  /// True when no answer waits to be sent.
  var isFlushed: Bool { connections.first { $0.hasOutput } == nil }

  func stopListening() {
    loop.unwatch(listener)
    close(listener)
  }

  private func accept() {
    let fd = shim_accept(listener)
    guard fd >= 0 else { return }
    guard shim_peer_user(fd) == Int64(geteuid()) else {
      close(fd)
      return
    }
    lastSerial += 1
    let connection = Connection(fd: fd, serial: lastSerial)
    connections[fd] = connection
    loop.watch(fd) { events in self.serve(connection, events) }
  }

  private func serve(_ connection: Connection, _ events: UInt32) {
    if events & EventLoop.writable != 0 && !flush(connection) { return }
    guard events & ~EventLoop.writable != 0 else { return }
    guard connection.fill() else { return end(connection) }
    while isOpen(connection) {
      switch connection.nextEvent() {
      case .frame(let header, let data): receive(header, data, connection)
      case .oversized(let header):
        let call = Call(server: self, connection: connection.serial, stream: header.stream)
        call.fail(Failure(.resourceExhausted, "the request is over the frame limit of 4 MiB"))
      case .waiting: return
      }
    }
  }

  private func receive(_ header: TtrpcHeader, _ data: Bytes, _ connection: Connection) {
    let call = Call(server: self, connection: connection.serial, stream: header.stream)
    guard header.type == TtrpcHeader.request else {
      return call.fail(Failure(.unimplemented, "only unary requests are served"))
    }
    guard header.stream & 1 == 1 else { return call.fail(Failure(.invalidArgument, "a client's stream number is odd")) }
    do throws(Malformed) {
      dispatch(try TtrpcRequest(data), call)
    } catch {
      call.fail(Failure(.invalidArgument, "the frame holds no ttrpc request"))
    }
  }

  fileprivate func send(_ call: Call, _ data: Bytes) {
    guard let connection = connections.first(where: { $0.serial == call.connection }) else { return }
    guard connection.send(TtrpcHeader.response(stream: call.stream, data)) else { return end(connection) }
    if connection.hasOutput { loop.change(connection.fd, EventLoop.readable | EventLoop.writable) }
  }

  private func flush(_ connection: Connection) -> Bool {
    guard connection.flush() else {
      end(connection)
      return false
    }
    if !connection.hasOutput { loop.change(connection.fd, EventLoop.readable) }
    return true
  }

  private func isOpen(_ connection: Connection) -> Bool { connections[connection.fd]?.serial == connection.serial }

  private func end(_ connection: Connection) {
    guard isOpen(connection) else { return }
    loop.unwatch(connection.fd)
    connections[connection.fd] = nil
    close(connection.fd)
    connectionEnded(connection.serial)
  }
}
