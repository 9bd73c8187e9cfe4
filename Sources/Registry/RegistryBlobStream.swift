import Core

/// A blob under way. The transfer runs by itself, a few pieces ahead of the reader, and ends with this object.
final class RegistryBlobStream: BlobStream {
  private let channel: BlobChannel
  private let task: Task<Void, Never>

  init(_ transfer: BlobTransfer) {
    let channel = BlobChannel()
    self.channel = channel
    task = Task { await transfer.run(into: channel) }
  }

  deinit {
    task.cancel()
    channel.abandon()
  }

  var isQueued: @Sendable () -> Bool { { [channel] in channel.isQueued } }

  func next() async throws -> [UInt8]? { try await channel.next() }
}
