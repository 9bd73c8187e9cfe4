import GRPC

/// A long list in several messages, so that neither side holds all of it at once.
enum Batches {
  /// Bytes of a message with several items.
  static let size = 256 << 10

  /// Sends `items`, each as the parts of one field, in as few messages as their size and the client's limit allow; none for an empty list.
  static func send<Item>(
    _ items: some Sequence<Item>, field: Int = 1, to writer: EncodedResponseWriter, _ encode: (Item) throws -> [[UInt8]]
  ) async throws {
    var message = EncodedMessage()
    let size = min(size, writer.limit)
    for item in items {
      let parts = try encode(item)
      if message.count > 0, message.count + EncodedMessage.room(parts) > size {
        try await writer.write(message)
        message = EncodedMessage()
      }
      message.append(field: field, parts)
    }
    if message.count > 0 { try await writer.write(message) }
  }
}

extension Batches {
  /// Items whose figures are gathered together.
  private static let gathered = 200

  /// Statistics, gathered and sent piece by piece.
  static func sendUsage<Entry>(
    _ entries: [Entry], to writer: EncodedResponseWriter, _ gather: ([Entry]) async -> [[[UInt8]]]
  ) async throws {
    for start in stride(from: 0, to: entries.count, by: gathered) {
      let part = Array(entries[start..<min(entries.count, start + gathered)])
      try await send(await gather(part), to: writer) { $0 }
    }
  }
}
