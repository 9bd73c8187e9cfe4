package import Core

/// Tars of blobs.
package struct TarPacker: ArchivePacker {
  private let content: any BlobStore

  package init(_ content: any BlobStore) { self.content = content }

  package func pack(_ members: [ArchiveMember], to sink: ([UInt8]) async throws -> Void) async throws {
    for member in members { try await pack(member, sink) }
    try await sink(TarHeader.end)
  }

  private func pack(_ member: ArchiveMember, _ sink: ([UInt8]) async throws -> Void) async throws {
    switch member.content {
    case .bytes(let bytes):
      try await sink(TarHeader.file(member.name, size: Int64(bytes.count)) + bytes + TarHeader.padding(Int64(bytes.count)))
    case .blob(let digest, let size):
      try await sink(TarHeader.file(member.name, size: size))
      let stream = try await content.open(digest, from: 0)
      var left = size
      while let piece = try await stream.next() {
        left -= Int64(piece.count)
        guard left >= 0 else { break }
        try await sink(piece)
      }
      guard left == 0 else { throw Fault(.dataLoss, "content \(digest): it has not the \(size) bytes its descriptor says") }
      try await sink(TarHeader.padding(size))
    }
  }
}
