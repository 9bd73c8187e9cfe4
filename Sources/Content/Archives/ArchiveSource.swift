package import Core
import Linux
package import OCI

/// Images of an OCI layout (directory or tar) or of `docker save`'s archive, served as a registry would serve them: what pulls can import.
/// A docker archive gets a manifest made up for it, whose layers are the archive's plain tars.
package final class ArchiveSource: ImageArchive {
  package let images: [ArchivedImage]
  private let path: String
  private let content: ArchiveContent

  private init(path: String, images: [ArchivedImage], content: ArchiveContent) {
    self.path = path
    self.images = images
    self.content = content
  }

  /// INVALID_ARGUMENT where `path` is neither of the two.
  package static func open(_ path: String) async throws -> ArchiveSource {
    try await stage("archive \(path)") {
      try await BlockingWork.run {
        let files = try ArchiveFiles(path)
        if let index = try files.find("index.json") {
          let (images, content) = try OCIArchive.read(index, files)
          return ArchiveSource(path: path, images: images, content: content)
        }
        guard let manifest = try files.find("manifest.json") else {
          throw Fault(.invalidArgument, "it has neither an index.json (OCI layout) nor a manifest.json (docker save)")
        }
        let (images, content) = try DockerArchive.read(manifest, files)
        return ArchiveSource(path: path, images: images, content: content)
      }
    }
  }

  /// By digest where `reference` has one, otherwise by one of the images' names.
  package func manifest(_ reference: ImageReference, credentials: RegistryCredentials?) async throws -> ManifestDocument {
    try stage("archive \(path)") {
      let descriptor = try descriptor(reference)
      let bytes = try content.region(descriptor.digest).readAll(limit: Int64(JSONDocument.maximumSize))
      guard descriptor.digest.matches(bytes) else { throw Fault(.dataLoss, "\(descriptor.digest) does not match its digest") }
      return ManifestDocument(digest: descriptor.digest, mediaType: descriptor.mediaType, bytes: bytes)
    }
  }

  private func descriptor(_ reference: ImageReference) throws -> Descriptor {
    if let digest = reference.digest {
      let known = images.first { $0.descriptor.digest == digest }?.descriptor
      return try known ?? Descriptor(mediaType: "", digest: digest, size: content.region(digest).size)
    }
    let named = images.first { image in
      image.names.contains { name in (try? ImageReference(parsing: name)) == reference }
    }
    guard let named else { throw Fault(.notFound, "it has no image of that name") }
    return named.descriptor
  }

  package func blob(_ descriptor: Descriptor, of reference: ImageReference, credentials: RegistryCredentials?) async throws
    -> any BlobStream
  {
    try stage("archive \(path)") {
      let region = try content.region(descriptor.digest)
      guard region.size == descriptor.size else {
        throw Fault(.dataLoss, "\(descriptor.digest) has \(region.size) bytes, its descriptor says \(descriptor.size)")
      }
      return ArchivedBlob(region)
    }
  }
}

/// Blobs of an archive by digest.
struct ArchiveContent: Sendable {
  var files: ArchiveFiles
  /// Where a blob is when not under its digest's name.
  var places: [Digest: String] = [:]
  /// What is not in the archive: manifests made up for it.
  var made: [Digest: ArchiveFiles.Region] = [:]

  func region(_ digest: Digest) throws -> ArchiveFiles.Region {
    if let region = made[digest] { return region }
    return try files.get(places[digest] ?? "blobs/\(digest.algorithm.rawValue)/\(digest.hex)")
  }
}
