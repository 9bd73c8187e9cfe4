import Core
import Linux
package import OCI

/// Blobs as files, `content/<algorithm>/<hex>` below the daemon's root. A blob is written beside them, synced, then renamed: what has a
/// digest for a name is complete.
package struct BlobDirectory: BlobStore {
  private let path: String

  /// - Parameter root: the daemon's root directory. Leftovers of interrupted writes are removed.
  package init(root: String) throws {
    path = "\(root)/content"
    try Files.makeDirectories("\(path)/sha256")
    try Files.makeDirectories("\(path)/sha512")
    try Files.makeDirectories("\(path)/ingest")
    for name in try Files.list("\(path)/ingest") { try? Files.remove("\(path)/ingest/\(name)") }
  }

  /// Blobs on their way in.
  var ingests: String { "\(path)/ingest" }

  package func contains(_ digest: Digest) -> Bool { Files.exists(file(digest)) }

  package func read(_ digest: Digest) throws -> [UInt8] {
    let bytes = try stage("content \(digest)") { try Files.read(file(digest)) }
    guard digest.matches(bytes) else { throw Fault(.dataLoss, "content \(digest): the file does not match its digest") }
    return bytes
  }

  package func write(_ bytes: [UInt8], as digest: Digest) async throws {
    guard digest.matches(bytes) else {
      throw Fault(.invalidArgument, "content \(digest): the bytes are \(Digest.of(bytes, digest.algorithm))")
    }
    if contains(digest) { return }
    try await stage("content \(digest)") {
      try await BlockingWork.run { try store(bytes, digest) }
    }
  }

  private func store(_ bytes: [UInt8], _ digest: Digest) throws {
    let temporary = "\(path)/ingest/\(Identifier.random())"
    do {
      try fill(temporary, bytes)
      try Files.place(temporary, at: file(digest))
    } catch {
      try? Files.remove(temporary)
      throw error
    }
  }

  private func fill(_ temporary: String, _ bytes: [UInt8]) throws {
    let file = try FileHandle.create(temporary)
    try Files.write(bytes, to: file.raw, temporary)
    try file.sync()
  }

  package func list() throws -> [Digest] {
    try ["sha256", "sha512"].flatMap { algorithm in
      try Files.list("\(path)/\(algorithm)").compactMap { Digest("\(algorithm):\($0)") }
    }
  }

  package func remove(_ digest: Digest) throws { try Files.remove(file(digest)) }

  func file(_ digest: Digest) -> String { "\(path)/\(digest.algorithm.rawValue)/\(digest.hex)" }
}
