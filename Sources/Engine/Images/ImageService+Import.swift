package import Core
import OCI

extension ImageService {
  /// Makes every image of the archive complete on this node, each under its names.
  /// - Parameter name: for an archive of exactly one image that names none.
  package func importAll(
    of archive: any ImageArchive, name: String, progress: @Sendable (PullProgress) -> Void
  ) async throws -> [ImageRecord] {
    let found = archive.images
    guard !found.isEmpty else { throw Fault(.invalidArgument, "the archive holds no image") }
    guard name.isEmpty || found.count == 1 else {
      throw Fault(.invalidArgument, "a name was given, but the archive holds \(found.count) images")
    }
    var records: [ImageRecord] = []
    for image in found {
      let one = PullProgress()
      progress(one)
      records.append(try await add(image, from: archive, names: name.isEmpty ? image.names : [name], one))
    }
    return records
  }

  private func add(_ image: ArchivedImage, from archive: any ImageArchive, names: [String], _ progress: PullProgress) async throws
    -> ImageRecord
  {
    let references = try names.map { name in try asFault { try ImageReference(parsing: name) } }
    guard let first = references.first else {
      throw Fault(.invalidArgument, "image \(image.descriptor.digest) has no name in the archive: give it one")
    }
    let source = PinnedSource(base: archive, digest: image.descriptor.digest)
    var record = try await fetch(first, from: source, nil, progress)
    for reference in references.dropFirst() {
      var approval: ImageApproval?
      if let descriptor = record.approvals?.last?.descriptor {
        approval = try await stage("image \(reference)") { try await admission.admit("\(reference)", descriptor) }
      }
      record = try await index.add(record, named: reference, approval)
    }
    return record
  }
}

/// An archive seen as a registry in which one name means one digest.
private struct PinnedSource: RegistrySource {
  let base: any ImageArchive
  let digest: Digest

  func manifest(_ reference: ImageReference, credentials: RegistryCredentials?) async throws -> ManifestDocument {
    let wanted = reference.digest ?? digest
    return try await base.manifest(
      ImageReference(domain: reference.domain, path: reference.path, tag: nil, digest: wanted), credentials: nil)
  }

  func blob(_ descriptor: Descriptor, of reference: ImageReference, credentials: RegistryCredentials?) async throws -> any BlobStream {
    try await base.blob(descriptor, of: reference, credentials: nil)
  }
}
