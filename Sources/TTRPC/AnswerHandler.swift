import FoundationEssentials
import NIOCore
import ShimAPI
import SwiftProtobuf

/// The server's side of one connection: answers each request as it comes. A client that breaks the protocol loses its connection, nobody else's.
final class AnswerHandler: ChannelInboundHandler {
  typealias InboundIn = Frame
  typealias OutboundOut = ByteBuffer

  /// The flag of a call that sends more than one message.
  private static let remoteOpen: UInt8 = 0x02

  private let methods: [String: TTRPCMethod]
  /// Streams grow from call to call.
  private var last: UInt32 = 0
  private var isClosing = false

  /// - Parameter methods: by path, `service/method`.
  init(_ methods: [String: TTRPCMethod]) { self.methods = methods }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    if isClosing { return }
    guard frame.kind == .request, frame.stream % 2 == 1, frame.stream > last else { return close(context) }
    last = frame.stream
    var response = Ttrpc_Response()
    do {
      response.payload = .init(try answer(frame))
    } catch {
      let error = error as? TTRPCError ?? TTRPCError(.remote, code: 2, "\(error)")
      (response.status.code, response.status.message) = (error.code, error.message)
    }
    send(response, on: frame.stream, context)
  }

  private func answer(_ frame: Frame) throws -> [UInt8] {
    guard let request = try? Ttrpc_Request(serializedBytes: Array(frame.payload.readableBytesView)) else {
      throw TTRPCError(.remote, code: 3, "the request cannot be decoded")
    }
    let path = "\(request.service)/\(request.method)"
    guard frame.flags & Self.remoteOpen == 0, let method = methods[path] else {
      throw TTRPCError(.remote, code: 12, "\(path.prefix(200)): not served, or not as a stream")
    }
    return try method.handle(Array(request.payload))
  }

  private func send(_ response: Ttrpc_Response, on stream: UInt32, _ context: ChannelHandlerContext) {
    guard let bytes: [UInt8] = try? response.serializedBytes(), bytes.count <= Frame.largestPayload else { return close(context) }
    var buffer = context.channel.allocator.buffer(capacity: Frame.headerLength + bytes.count)
    Frame(stream: stream, kind: .response, payload: ByteBuffer(bytes: bytes)).write(to: &buffer)
    context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
  }

  /// Who does not read its answers is not read either.
  func channelWritabilityChanged(context: ChannelHandlerContext) {
    context.channel.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { close(context) }

  private func close(_ context: ChannelHandlerContext) {
    isClosing = true
    context.close(promise: nil)
  }
}
