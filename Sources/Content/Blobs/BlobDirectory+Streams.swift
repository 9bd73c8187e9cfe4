package import Core
import Linux
package import OCI

extension BlobDirectory {
  package func size(_ digest: Digest) -> Int64? {
    guard let status = try? FileIdentity.of(path: file(digest)) else { return nil }
    return Int64(status.size)
  }

  package func ingest(_ descriptor: Descriptor) async throws -> any BlobIngest {
    try stage("content \(descriptor.digest)") {
      try BlobFile(descriptor, temporary: "\(ingests)/\(Identifier.random())", path: file(descriptor.digest))
    }
  }

  package func open(_ digest: Digest, from offset: Int64) async throws -> any BlobStream {
    try stage("content \(digest)") {
      do { return StoredBlob(digest, try FileHandle.open(file(digest)), from: offset) } catch let error as SystemError {
        if error.isMissing { throw Fault(.notFound, "there is no such blob") }
        throw error
      }
    }
  }
}
