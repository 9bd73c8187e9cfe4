package import NIOCore

/// The messages of Kubernetes' channel protocols out of WebSocket events: the first byte (or, in base64 protocols, digit) of each message
/// names the channel, the rest goes to it as it comes.
package struct ChannelMessages {
  package enum Event: Hashable {
    case data(UInt8, ByteBuffer)
    /// Version 5: the other side will send nothing more on this channel.
    case closed(UInt8)
  }

  /// Version 5's message that closes the channel its second byte names.
  package static let closeSignal: UInt8 = 255

  package let isBase64: Bool
  package let hasCloseSignal: Bool
  private var channel: UInt8?
  private var decoder = Base64.Decoder()

  package init(isBase64: Bool, hasCloseSignal: Bool) {
    self.isBase64 = isBase64
    self.hasCloseSignal = hasCloseSignal
  }

  package mutating func begin() {
    channel = nil
    decoder = Base64.Decoder()
  }

  /// A piece of a message; nil where it is not for anybody yet.
  package mutating func payload(_ bytes: ByteBuffer) throws(WebSocketViolation) -> Event? {
    var bytes = bytes
    if channel == nil, let first: UInt8 = bytes.readInteger() { channel = try number(first) }
    guard let channel, bytes.readableBytes > 0 else { return nil }
    if hasCloseSignal && channel == Self.closeSignal { return bytes.readInteger().map { .closed($0) } }
    if !isBase64 { return .data(channel, bytes) }
    guard let decoded = decoder.decode(bytes.readableBytesView) else { throw Self.notBase64 }
    return decoded.isEmpty ? nil : .data(channel, ByteBuffer(bytes: decoded))
  }

  /// No piece of the message is missing. What a base64 protocol's message holds ends with a group of four: each is decoded by itself.
  package func end() throws(WebSocketViolation) {
    if !decoder.isAtEnd { throw Self.notBase64 }
  }

  private static let notBase64 = WebSocketViolation("a message that is not base64", code: .invalidPayload)

  /// In base64 protocols the channel is a decimal digit.
  private func number(_ first: UInt8) throws(WebSocketViolation) -> UInt8 {
    guard isBase64 else { return first }
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { throw WebSocketViolation("a message that names no channel") }
    return first - UInt8(ascii: "0")
  }
}
