import FoundationEssentials
import Linux
import NIOCore
import NIOPosix
import ShimAPI
import SwiftProtobuf
import TTRPC

/// The server's end of a connection, played by a test: it reads requests one by one and answers what, when and in which order it likes.
final class Peer {
  struct Request {
    let stream: UInt32
    let message: Ttrpc_Request
  }

  private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
  private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  private var incoming: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private var buffer = ByteBuffer()

  private init(
    _ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) {
    self.channel = channel
    self.outbound = outbound
    incoming = inbound.makeAsyncIterator()
  }

  /// A client and its peer for the length of `body`.
  static func connected(_ body: (TTRPCClient, Peer) async throws -> Void) async throws {
    let (near, far) = try UnixSocket.pair()
    let client = try await TTRPCClient.adopt(socket: near)
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).withConnectedSocket(far) { channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel(
          wrappingChannelSynchronously: channel, configuration: .init(inboundType: ByteBuffer.self, outboundType: ByteBuffer.self))
      }
    }
    try await channel.executeThenClose { inbound, outbound in
      try await body(client, Peer(channel, inbound, outbound))
      client.close()
    }
  }

  /// The next request; nil once the client has closed.
  func request() async throws -> Request? {
    while true {
      if let frame = try Frame(from: &buffer) {
        return Request(stream: frame.stream, message: try Ttrpc_Request(serializedBytes: Array(frame.payload.readableBytesView)))
      }
      guard var more = try await incoming.next() else { return nil }
      buffer.writeBuffer(&more)
    }
  }

  func answer(_ stream: UInt32, _ message: some Message) async throws {
    let payload: [UInt8] = try message.serializedBytes()
    try await respond(stream, .with { $0.payload = .init(payload) })
  }

  func refuse(_ stream: UInt32, code: Int32, _ message: String) async throws {
    try await respond(
      stream,
      .with {
        $0.status.code = code
        $0.status.message = message
      })
  }

  func send(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

  func close() async throws { try await channel.channel.close() }

  private func respond(_ stream: UInt32, _ response: Ttrpc_Response) async throws {
    let payload: [UInt8] = try response.serializedBytes()
    var buffer = ByteBuffer()
    Frame(stream: stream, kind: .response, payload: ByteBuffer(bytes: payload)).write(to: &buffer)
    try await outbound.write(buffer)
  }
}
