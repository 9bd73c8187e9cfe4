import Core
import NIOCore
import Testing

@testable import Streaming

/// The client's side of a SPDY connection, as Kubernetes' clients play it.
final class SPDYClient {
  let wire: Wire
  private let deflater = HeaderDeflater()
  private var parser = SPDYFrameParser()
  private var nextStream: UInt32 = 1
  /// What came on each stream, and which of them the server has half-closed.
  private(set) var output: [UInt32: [UInt8]] = [:]
  private(set) var ended: Set<UInt32> = []
  private(set) var resets: [UInt32: UInt32] = [:]
  private(set) var replies: Set<UInt32> = []
  private(set) var control: [SPDYFrame] = []
  private(set) var isOver = false

  init(_ wire: Wire) { self.wire = wire }

  /// Asks for the upgrade.
  static func connect(_ url: String, versions: [String] = ["v4.channel.k8s.io"], method: String = "POST") async throws -> SPDYClient {
    let (port, path) = try split(url)
    let wire = try await Wire.connect(port)
    var request = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n"
    for version in versions { request += "X-Stream-Protocol-Version: \(version)\r\n" }
    try await wire.write(request + "\r\n")
    let head = try await wire.readHead()
    guard head.hasPrefix("HTTP/1.1 101 ") else { throw Fault(.unavailable, head) }
    return SPDYClient(wire)
  }

  static func split(_ url: String) throws -> (port: Int, path: String) {
    let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
    guard parts.count == 3, let port = parts[1].split(separator: ":").last.flatMap({ Int($0) }) else { throw Fault(.internal, url) }
    return (port, "/" + parts[2])
  }

  func open(_ headers: KeyValuePairs<String, String>, fin: Bool = false) async throws -> UInt32 {
    let id = nextStream
    nextStream += 2
    var payload = ByteBuffer(integer: id)
    payload.writeInteger(UInt32(0))
    payload.writeInteger(UInt16(0))
    payload.writeImmutableBuffer(deflater.deflate(HeaderBlock(headers).encoded))
    try await wire.write(SPDYFrameWriter.control(.synStream, flags: fin ? SPDYFlag.fin : 0, payload))
    return id
  }

  func send(_ stream: UInt32, _ bytes: [UInt8], fin: Bool = false) async throws {
    var frame = SPDYFrameWriter.dataHead(stream, length: bytes.count, fin: fin)
    frame.writeBytes(bytes)
    try await wire.write(frame)
  }

  func send(_ stream: UInt32, _ text: String, fin: Bool = false) async throws { try await send(stream, Array(text.utf8), fin: fin) }

  /// Takes what comes until `condition` holds or the connection ends.
  func receive(until condition: () -> Bool) async throws {
    while !condition() && !isOver {
      guard let bytes = try await wire.read() else {
        isOver = true
        return
      }
      parser.feed(bytes)
      while let frame = try parser.next() { take(frame) }
    }
  }

  private func take(_ frame: SPDYFrame) {
    switch frame {
    case .data(let id, let bytes, let end):
      output[id, default: []].append(contentsOf: bytes.readableBytesView)
      if end { ended.insert(id) }
    case .resetStream(let id, let status): resets[id] = status
    case .synReply(let id, _, _): replies.insert(id)
    default: control.append(frame)
    }
  }

  func text(_ stream: UInt32) -> String { String(decoding: output[stream] ?? [], as: UTF8.self) }
}

/// The streams of one remote command.
struct CommandClient {
  let spdy: SPDYClient
  var streams: [String: UInt32] = [:]

  static func start(_ url: String, _ names: [String], version: String = "v4.channel.k8s.io") async throws -> CommandClient {
    var client = CommandClient(spdy: try await SPDYClient.connect(url, versions: [version]))
    for name in ["error"] + names { client.streams[name] = try await client.spdy.open(["streamType": name]) }
    return client
  }

  func send(_ text: String, to name: String = "stdin", fin: Bool = false) async throws {
    try await spdy.send(streams[name] ?? 0, text, fin: fin)
  }

  func text(_ name: String) -> String { spdy.text(streams[name] ?? 0) }

  /// Until the server has told how the command ended; the status.
  func finish() async throws -> String {
    try await spdy.receive { spdy.ended.contains(streams["error"] ?? 0) }
    try await spdy.wire.close()
    return text("error")
  }
}
