import Core
import Linux
import Logging
import NIOCore

/// One port-forward session of one client: any number of connections to ports of a pod, each on a pair of streams, none of which ends the others.
///
/// Lives on its connection's event loop.
final class PortForward: Conversation {
  /// What was asked for.
  struct Target {
    let pod: String
    let ports: [UInt16]
    let netns: @Sendable () throws -> String?
    let dialer: LoopbackDialer
    let work: WorkCount
    let span: Span?
    let logger: Logger
  }

  /// How long the second stream of a pair may take, and how long a connect.
  static let pairingTime = TimeAmount.seconds(30)
  static let connectTime = Duration.seconds(30)
  /// Bytes that the pod's side may be ahead of the client, and that one read takes at least.
  private static let unsent = 8 << 20
  private static let smallestRead = 32 << 10

  private let target: Target
  private let loop: any EventLoop
  private var halves: [String: Half] = [:]
  private var connections: [ObjectIdentifier: PortConnection] = [:]
  /// Connections that there were.
  private var count = 0
  /// Called when a connection is over and no other is left.
  var whenIdle: () -> Void = {}

  /// A pair with one of its streams.
  private struct Half {
    let port: UInt16
    let stream: SPDYSubstream
    let isError: Bool
    let deadline: Scheduled<Void>

    init(_ port: UInt16, _ stream: SPDYSubstream, _ isError: Bool, _ deadline: Scheduled<Void>) {
      self.port = port
      self.stream = stream
      self.isError = isError
      self.deadline = deadline
    }
  }

  init(_ target: Target, on loop: any EventLoop) {
    self.target = target
    self.loop = loop
  }

  func opened(_ stream: SPDYSubstream, _ headers: HeaderBlock) {
    guard let port = headers["port"].flatMap(UInt16.init), port > 0, let type = headers["streamtype"], ["data", "error"].contains(type)
    else {
      return stream.reset(.protocolError)
    }
    let isError = type == "error"
    // The first clients number nothing: their error stream comes first and its data stream is the next one.
    let request = headers["requestid"] ?? "stream \(isError ? stream.id : stream.id &- 2)"
    guard let half = halves.removeValue(forKey: request) else { return wait(Half(port, stream, isError, deadline(request)), request) }
    half.deadline.cancel()
    guard half.isError != isError, half.port == port else {
      half.stream.reset(.protocolError)
      return stream.reset(.protocolError)
    }
    stream.accept()
    connect(port, data: isError ? half.stream : stream, error: isError ? stream : half.stream)
  }

  private func wait(_ half: Half, _ request: String) {
    half.stream.accept()
    halves[request] = half
  }

  private func deadline(_ request: String) -> Scheduled<Void> {
    let bound = NIOLoopBound(self, eventLoop: loop)
    return loop.scheduleTask(in: Self.pairingTime) { bound.value.halves.removeValue(forKey: request)?.stream.reset() }
  }

  /// Begins a connection; data that comes before it stands waits.
  func connect(_ port: UInt16, data: any Substream, error: any Substream) {
    let connection = PortConnection(port, data: data, error: error, readSize: readSize, target: target, on: loop)
    let id = ObjectIdentifier(connection)
    connections[id] = connection
    count += 1
    connection.whenOver = { [weak self] in self?.over(id) }
    connection.begin()
  }

  /// All connections may have a read's bytes waiting for the client at once: the more there are, the less each may read.
  private var readSize: Int { min(Pump.socketReadSize, max(Self.smallestRead, Self.unsent / (connections.count + 1))) }

  private func over(_ id: ObjectIdentifier) {
    guard connections.removeValue(forKey: id) != nil, connections.isEmpty else { return }
    whenIdle()
  }

  func connectionLost() {
    whenIdle = {}
    target.span?.set(["berth.connections": .int(Int64(count))])
    target.span?.end()
    for half in halves.values { half.deadline.cancel() }
    halves = [:]
    let connections = connections.values
    self.connections = [:]
    for connection in connections { connection.abandon() }
  }
}
