import Core
import Logging
import NIOCore

/// Puts a session together: what the client asked for, over the protocol that it was granted.
struct SessionSetup {
  let server: ServerCore
  let sink: any ByteSink
  let loop: any EventLoop
  /// Of the session.
  let span: Span?

  func transport(_ upgrade: Upgrade, _ request: StreamRequest) -> any Transport {
    switch request {
    case .exec(let streams, let open): command(upgrade, streams, tellsExitCode: true, open)
    case .attach(let streams, let open): command(upgrade, streams, tellsExitCode: false, open)
    case .portForward(let pod, let ports, let netns):
      forward(
        upgrade,
        PortForward.Target(
          pod: pod, ports: ports, netns: netns, dialer: server.dialer, work: server.work, span: span, logger: server.logger))
    }
  }

  private func command(
    _ upgrade: Upgrade, _ streams: CommandStreams, tellsExitCode: Bool, _ open: @escaping @Sendable () async throws -> any StreamSession
  ) -> any Transport {
    let command = RemoteCommand.Command(
      streams: streams, open: { [span] in try await Span.resuming(span, open) }, tellsExitCode: tellsExitCode, work: server.work,
      span: span,
      logger: server.logger)
    switch upgrade {
    case .spdy(let version):
      let dialect = RemoteCommand.Dialect(hasStatusObjects: version == .v4, knowsResize: version?.knowsResize ?? false)
      let session = RemoteCommand(command, dialect, on: loop)
      let transport = SPDYTransport(sink: sink, conversation: session, bufferLimit: server.limits.commandBuffer)
      session.finish = { transport.end() }
      return transport
    case .webSocket(let name, _):
      let session = RemoteCommand(command, .init(hasStatusObjects: name.hasStatusObjects, knowsResize: true), on: loop)
      return channels(name, session, streams)
    }
  }

  /// The channels of remote commands are 0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize.
  private func channels(_ name: Upgrade.WebSocketProtocol, _ session: RemoteCommand, _ streams: CommandStreams) -> any Transport {
    let socket = WebSocketTransport(sink: sink)
    let channels = ChannelStreams(socket, name, conversation: session, bufferLimit: server.limits.commandBuffer)
    socket.content = channels
    session.finish = { channels.end() }
    let roles: [RemoteCommand.Role] = [.stdin, .stdout, .stderr, .error, .resize]
    // An empty message on the first channel that the client reads tells it that the session is there.
    channels.send(streams.stdout ? 1 : streams.stderr ? 2 : 3, ByteBuffer())
    for (number, role) in roles.enumerated() { session.add(channels.open(UInt8(number)), as: role) }
    return socket
  }

  private func forward(_ upgrade: Upgrade, _ target: PortForward.Target) -> any Transport {
    let session = PortForward(target, on: loop)
    let limit = server.limits.forwardBuffer
    switch upgrade {
    case .spdy: return SPDYTransport(sink: sink, conversation: session, bufferLimit: limit)
    case .webSocket(.tunnel, _):
      let socket = WebSocketTransport(sink: sink)
      let tunnel = WebSocketTunnel(socket)
      socket.content = tunnel
      tunnel.carry(SPDYTransport(sink: tunnel, conversation: session, bufferLimit: limit))
      return socket
    case .webSocket(let name, _): return portChannels(name, session, target.ports)
    }
  }

  /// Two channels a port, data and error; the first message on each is the port's number, its low byte first. One connection a port. In version 5
  /// each side says when it sends no more on a channel.
  private func portChannels(_ name: Upgrade.WebSocketProtocol, _ session: PortForward, _ ports: [UInt16]) -> any Transport {
    let socket = WebSocketTransport(sink: sink)
    let channels = ChannelStreams(socket, name, conversation: session, bufferLimit: server.limits.forwardBuffer, tellsEnds: true)
    socket.content = channels
    session.whenIdle = { channels.end() }
    for (index, port) in ports.enumerated() {
      let pair = (channels.open(UInt8(index * 2)), channels.open(UInt8(index * 2 + 1)))
      for stream in [pair.0, pair.1] { stream.send(ByteBuffer(integer: port, endianness: .little)) }
      session.connect(port, data: pair.0, error: pair.1)
    }
    return socket
  }
}
