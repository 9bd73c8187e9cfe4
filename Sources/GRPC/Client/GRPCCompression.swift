import NIOCore

/// How a client packs its messages, and unpacks those of answers (gRPC's doc/compression.md).
package struct GRPCCompression: Sendable {
  /// As `grpc-encoding` names it.
  package let name: String
  /// Nil where it cannot be done.
  let pack: @Sendable ([UInt8]) -> [UInt8]?
  /// Nil where it is no such message, or has more bytes than this.
  let unpack: @Sendable (_ bytes: [UInt8], _ limit: Int) -> [UInt8]?

  package init(name: String, pack: @escaping @Sendable ([UInt8]) -> [UInt8]?, unpack: @escaping @Sendable ([UInt8], Int) -> [UInt8]?) {
    (self.name, self.pack, self.unpack) = (name, pack, unpack)
  }

  /// A message with its prefix, packed; as it is where that cannot be done.
  func packed(_ framed: ByteBuffer) -> ByteBuffer {
    guard let packed = pack(Array(framed.readableBytesView.dropFirst(MessageDeframer.prefix))) else { return framed }
    var buffer = ByteBufferAllocator().buffer(capacity: MessageDeframer.prefix + packed.count)
    buffer.writeInteger(UInt8(1))
    buffer.writeInteger(UInt32(packed.count))
    buffer.writeBytes(packed)
    return buffer
  }
}
