import Core
import OCI

/// The blob as it comes from the registry: counted and hashed on its way, checked at its end.
final class VerifiedBlob: ByteSource {
  private let queue: ByteQueue
  private let descriptor: Descriptor
  private var hasher: ContentHasher
  private var chunks: [[UInt8]] = []
  private var index = 0
  /// Keeps the bytes last given out in place.
  private let buffer: UnsafeMutableRawBufferPointer
  private var offset = 0
  private(set) var count: Int64 = 0

  private static let piece = 64 << 10

  init(_ queue: ByteQueue, _ descriptor: Descriptor) {
    self.queue = queue
    self.descriptor = descriptor
    hasher = ContentHasher(descriptor.digest.algorithm)
    buffer = .allocate(byteCount: Self.piece, alignment: 64)
  }

  deinit { buffer.deallocate() }

  func next() throws -> UnsafeRawBufferPointer? {
    guard let filled = try fill() else { return nil }
    hasher.update(filled)
    count += Int64(filled.count)
    guard count <= descriptor.size else {
      throw Fault(.dataLoss, "blob \(descriptor.digest) is longer than the \(descriptor.size) bytes its descriptor says")
    }
    return filled
  }

  /// Copies queued bytes into the buffer; `nil` at the end.
  private func fill() throws -> UnsafeRawBufferPointer? {
    while index == chunks.count {
      guard let more = try queue.read() else { return nil }
      (chunks, index, offset) = (more, 0, 0)
    }
    var filled = 0
    while index < chunks.count, filled < buffer.count {
      let part = min(chunks[index].count - offset, buffer.count - filled)
      chunks[index].withUnsafeBytes { buffer.baseAddress!.advanced(by: filled).copyMemory(from: $0.baseAddress! + offset, byteCount: part) }
      filled += part
      offset += part
      if offset == chunks[index].count { (index, offset) = (index + 1, 0) }
    }
    return UnsafeRawBufferPointer(rebasing: buffer[..<filled])
  }

  /// Reads to the end, then compares length and digest. DATA_LOSS where they differ.
  func check() throws {
    try drain()
    guard count == descriptor.size else {
      throw Fault(.dataLoss, "blob \(descriptor.digest) ended after \(count) bytes, its descriptor says \(descriptor.size)")
    }
    let digest = hasher.finish()
    guard digest == descriptor.digest else { throw Fault(.dataLoss, "blob \(descriptor.digest) arrived as \(digest)") }
  }

  /// Like ``check()``, where no more than `limit` bytes are left to come; otherwise nothing is known, and nothing thrown.
  func check(within limit: Int64) throws {
    if descriptor.size - count <= limit { try check() }
  }
}
