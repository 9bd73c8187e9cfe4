import Core
import OCI

/// One push: all blobs at once, then the documents that name them, the name itself last.
struct ImagePush: Sendable {
  let tree: ImageTree
  let target: ImageReference
  let registry: any RegistryPush
  let origin: ImageOrigin
  /// Repositories of the same registry that may have the blobs already.
  let siblings: [String]
  let uploads: Slots
  let progress: PullProgress

  func run() async throws {
    progress.begin(.init(reference: "\(target)", manifest: tree.root.descriptor.digest), tree.blobs)
    try await withThrowingTaskGroup { group in
      for (number, blob) in tree.blobs.enumerated() {
        group.addTask { try await uploads.with { try await push(blob, number) } }
      }
      try await group.waitForAll()
    }
    for document in tree.inner { try await put(document, at: document.descriptor.digest.description) }
    try await put(tree.root, at: target.manifestName)
  }

  private func put(_ document: ImageTree.Document, at name: String) async throws {
    let (digest, bytes) = (document.descriptor.digest, document.bytes)
    let manifest = ManifestDocument(digest: digest, mediaType: document.descriptor.mediaType, bytes: bytes)
    if try await registry.hasManifest(digest, at: name) { return try await registry.list(manifest) }
    try await registry.put(manifest, at: name)
  }

  private func push(_ blob: Descriptor, _ number: Int) async throws {
    try await stage(progress.summary) {
      progress.set(number, .checking)
      if try await registry.hasBlob(blob.digest) { return progress.set(number, .present) }
      for sibling in siblings where try await registry.mount(blob.digest, from: sibling) { return progress.set(number, .mounted) }
      progress.set(number, .downloading)
      try await stage("layer \(blob.digest)") { try await origin.fetch(blob) { progress.received(number, $0) } }
      progress.set(number, .uploading)
      let content = origin.content
      try await registry.upload(
        blob, progress: { progress.stands(number, at: $0) }, open: { try await content.open(blob.digest, from: $0) })
      progress.set(number, .done)
    }
  }
}
