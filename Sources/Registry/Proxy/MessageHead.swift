import NIOCore

/// First line and header fields of an HTTP/1.1 message, with what came after them. Only what setting up a tunnel needs.
struct MessageHead: Sendable {
  enum Unreadable: String, Error, CustomStringConvertible {
    case closed = "the connection was closed instead of an answer"
    case foreign = "what it answers is no HTTP"

    var description: String { rawValue }
  }

  static let limit = 16 << 10

  let firstLine: String
  private let fields: [(name: String, value: String)]
  let rest: ByteBuffer

  /// `nil` as long as it is not whole.
  init?(_ bytes: ByteBuffer) throws(Unreadable) {
    if bytes.readableBytes > Self.limit { throw .foreign }
    let view = bytes.readableBytesView
    let separator = Array("\r\n\r\n".utf8)
    guard let end = view.firstRange(of: separator) else { return nil }
    let lines = String(decoding: view[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
    firstLine = lines.first.map(String.init) ?? ""
    fields = lines.dropFirst().compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return (line[..<colon].lowercased(), String(line[line.index(after: colon)...].drop { $0 == " " }))
    }
    rest = ByteBuffer(view[end.upperBound...])
  }

  static func read(_ stream: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) async throws -> MessageHead {
    var bytes = ByteBuffer()
    while var more = try await stream.next() {
      bytes.writeBuffer(&more)
      if let head = try MessageHead(bytes) { return head }
    }
    throw Unreadable.closed
  }

  /// - Parameter name: in lower case.
  func value(of name: String) -> String? { fields.first { $0.name == name }?.value }

  /// Of an answer.
  var status: Int? {
    let words = firstLine.split(separator: " ", maxSplits: 2)
    return words.count >= 2 && words[0].hasPrefix("HTTP/1.") && words[1].utf8.count == 3 ? Int(words[1]) : nil
  }
}
