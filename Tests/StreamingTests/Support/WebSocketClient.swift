import Core
import NIOCore

@testable import Streaming

/// The client's side of a WebSocket with channels in its messages.
final class WebSocketClient {
  let wire: Wire
  private var buffer = ByteBuffer()
  private(set) var messages: [[UInt8]] = []
  private(set) var output: [UInt8: [UInt8]] = [:]
  private(set) var closeCode: UInt16?
  private(set) var pongs = 0
  private(set) var isOver = false
  let head: String

  private init(_ wire: Wire, head: String) {
    self.wire = wire
    self.head = head
  }

  static func connect(_ url: String, _ subprotocol: String) async throws -> WebSocketClient {
    let (port, path) = try SPDYClient.split(url)
    let wire = try await Wire.connect(port)
    var request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    request += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    if !subprotocol.isEmpty { request += "Sec-WebSocket-Protocol: \(subprotocol)\r\n" }
    try await wire.write(request + "\r\n")
    let head = try await wire.readHead()
    guard head.hasPrefix("HTTP/1.1 101 ") else { throw Fault(.unavailable, head) }
    return WebSocketClient(wire, head: head)
  }

  func send(_ channel: UInt8, _ text: String) async throws { try await sendMessage([channel] + Array(text.utf8)) }
  func sendMessage(_ bytes: [UInt8], opcode: UInt8 = 0x82) async throws {
    try await wire.write(WebSocketTests.frame(opcode, bytes))
  }

  func receive(until condition: () -> Bool) async throws {
    while !condition() && !isOver {
      guard let bytes = try await wire.read() else {
        isOver = true
        return
      }
      buffer.writeImmutableBuffer(bytes)
      while takeFrame() {}
    }
  }

  /// A server's frames are whole messages without a mask.
  private func takeFrame() -> Bool {
    var rest = buffer
    guard let first = rest.readInteger(as: UInt8.self), let second = rest.readInteger(as: UInt8.self) else { return false }
    var length = Int(second)
    if second == 126 {
      guard let long = rest.readInteger(as: UInt16.self) else { return false }
      length = Int(long)
    } else if second == 127 {
      guard let long = rest.readInteger(as: UInt64.self) else { return false }
      length = Int(long)
    }
    guard var payload = rest.readSlice(length: length) else { return false }
    buffer = rest
    take(first & 0x0F, &payload)
    return true
  }

  private func take(_ opcode: UInt8, _ payload: inout ByteBuffer) {
    switch opcode {
    case 8: closeCode = payload.readInteger()
    case 10: pongs += 1
    default:
      messages.append(Array(payload.readableBytesView))
      if let channel: UInt8 = payload.readInteger() { output[channel, default: []] += Array(payload.readableBytesView) }
    }
  }

  func text(_ channel: UInt8) -> String { String(decoding: output[channel] ?? [], as: UTF8.self) }
}
