import Core
package import OCI

/// Which of an image's platforms go out.
package enum PlatformChoice: Sendable, Hashable {
  /// What is on this node, named by what was pulled: an index stays one, though only one of its manifests is there.
  case pulled
  /// The manifest for this node, without the index around it.
  case host
  case one(Platform)
  /// The index and all it names; what is not here is fetched from where the image came from.
  case all
}

/// What of an image goes out: documents and blobs.
struct ImageTree: Sendable {
  struct Document: Sendable {
    let descriptor: Descriptor
    let bytes: [UInt8]
  }

  /// What the image's name shall lead to.
  let root: Document
  /// Manifests and indexes below it, the lowest first.
  private(set) var inner: [Document] = []
  /// Configurations and layers, each once.
  private(set) var blobs: [Descriptor] = []
  /// The one manifest there is, where there is just one.
  private(set) var manifest: Manifest?

  init(root: Document) { self.root = root }

  mutating func add(_ document: Document) {
    if !inner.contains(where: { $0.descriptor.digest == document.descriptor.digest }) { inner.append(document) }
  }

  mutating func add(_ manifest: Manifest) {
    self.manifest = self.manifest == nil ? manifest : nil
    for descriptor in [manifest.config] + manifest.layers where !blobs.contains(where: { $0.digest == descriptor.digest }) {
      // What may not be distributed is not pushed either: whoever pulls gets it where its URLs say.
      if case .layer(_, distributable: false) = descriptor.kind { continue }
      blobs.append(descriptor)
    }
  }
}

/// Collects a tree, from what is here and from where the image came from.
struct ImageTreeBuilder: Sendable {
  let image: ImageRecord
  let origin: ImageOrigin
  let platform: Platform

  /// Indexes below each other.
  private static let depth = 4

  func tree(_ choice: PlatformChoice) async throws -> ImageTree {
    switch choice {
    case .host: return try await tree(of: image.manifest, "", children: { _ in [] })
    case .pulled: return try await tree(of: image.target, "") { [image] in $0.filter { $0.digest == image.manifest } }
    case .all: return try await tree(of: image.target, "") { $0 }
    case .one(let wanted):
      guard case .index(let index) = try await document(image.target, "").parsed else {
        let config = try ImageConfig.parse(await origin.document(image.id))
        do { try config.check(runsOn: wanted) } catch { throw Fault(.notFound, "\(error)") }
        return try await tree(of: image.target, "", children: { _ in [] })
      }
      let entry: Descriptor
      do { entry = try index.entry(for: wanted) } catch { throw Fault(.notFound, "\(error)") }
      return try await tree(of: entry.digest, entry.mediaType, children: { _ in [] })
    }
  }

  private func tree(
    of digest: Digest, _ mediaType: String, children: @Sendable ([Descriptor]) -> [Descriptor]
  ) async throws -> ImageTree {
    let (root, parsed) = try await document(digest, mediaType)
    var tree = ImageTree(root: root)
    try await add(parsed, to: &tree, Self.depth, children)
    return tree
  }

  private func add(
    _ parsed: ImageDocument, to tree: inout ImageTree, _ depth: Int, _ children: @Sendable ([Descriptor]) -> [Descriptor]
  ) async throws {
    switch parsed {
    case .manifest(let manifest): tree.add(manifest)
    case .index(let index):
      guard depth > 0 else { throw Fault(.invalidArgument, "more than \(Self.depth) indexes below each other") }
      for child in children(index.manifests) {
        let (document, parsed) = try await document(child.digest, child.mediaType)
        try await add(parsed, to: &tree, depth - 1, children)
        tree.add(document)
      }
    }
  }

  private func document(_ digest: Digest, _ mediaType: String) async throws -> (document: ImageTree.Document, parsed: ImageDocument) {
    try await stage("manifest \(digest)") {
      let bytes = try await origin.document(digest)
      let parsed = try asFault { try ImageDocument.parse(bytes, mediaType: mediaType) }
      let descriptor = Descriptor(
        mediaType: mediaType.isEmpty ? parsed.mediaType : mediaType, digest: digest, size: Int64(bytes.count))
      return (ImageTree.Document(descriptor: descriptor, bytes: bytes), parsed)
    }
  }
}

extension ImageDocument {
  /// What it says it is; where it says nothing, what its content is.
  var mediaType: String {
    switch self {
    case .index(let index): index.mediaType ?? MediaType.ociIndex
    case .manifest(let manifest):
      manifest.mediaType ?? (manifest.config.mediaType == MediaType.dockerConfig ? MediaType.dockerManifest : MediaType.ociManifest)
    }
  }
}
