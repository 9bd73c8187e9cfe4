/// One image for one platform (OCI image spec, manifest.md; Docker image manifest v2, schema 2).
package struct Manifest: Hashable, Sendable, Codable {
  package var schemaVersion: Int? = 2
  package var mediaType: String?
  /// What an artifact is.
  package var artifactType: String?
  package var config: Descriptor
  package var layers: [Descriptor]
  package var annotations: [String: String]?

  package init(mediaType: String? = MediaType.ociManifest, config: Descriptor, layers: [Descriptor]) {
    self.mediaType = mediaType
    self.config = config
    self.layers = layers
  }
}

/// The same image for several platforms (OCI image spec, image-index.md; Docker manifest list).
package struct Index: Hashable, Sendable, Codable {
  package var schemaVersion: Int? = 2
  package var mediaType: String?
  package var manifests: [Descriptor]
  package var annotations: [String: String]?

  package init(mediaType: String? = MediaType.ociIndex, manifests: [Descriptor]) {
    self.mediaType = mediaType
    self.manifests = manifests
  }
}

/// A manifest or an index, told apart by what it says it is *and* by its shape: a document that could be read as both
/// would let one digest name two images (OCI image spec, CVE-2021-41190).
package enum ImageDocument: Hashable, Sendable {
  case manifest(Manifest)
  case index(Index)

  /// More layers than overlayfs can stack or a registry would serve for good reason.
  package static let maximumLayers = 1024

  /// - Parameter mediaType: what the registry or the descriptor calls it; empty where that is unknown.
  package static func parse(_ bytes: [UInt8], mediaType: String) throws(DocumentError) -> ImageDocument {
    let shape = try JSONDocument.decode(Shape.self, from: bytes, as: "manifest")
    let kind = try shape.kind(declared: mediaType)
    if kind == .index { return .index(try JSONDocument.decode(Index.self, from: bytes, as: "index")) }
    let manifest = try JSONDocument.decode(Manifest.self, from: bytes, as: "manifest")
    guard manifest.layers.count <= maximumLayers else {
      throw DocumentError("manifest", "\(manifest.layers.count) layers, at most \(maximumLayers) are allowed")
    }
    return .manifest(manifest)
  }
}

/// Which members a document has.
private struct Shape: Decodable {
  var schemaVersion: Int?
  var mediaType: String?
  var config: Present?
  var layers: Present?
  var manifests: Present?
  var fsLayers: Present?

  /// Any JSON value.
  struct Present: Decodable {
    init(from decoder: any Decoder) throws {}
  }

  func kind(declared: String) throws(DocumentError) -> MediaType.Kind {
    let kinds = [declared, mediaType ?? ""].map(MediaType.kind(of:))
    if kinds.contains(.schema1) || fsLayers != nil || schemaVersion == 1 {
      throw DocumentError("manifest", "Docker schema 1 is not supported; push the image again with a current tool")
    }
    let isManifest = config != nil || layers != nil
    guard isManifest != (manifests != nil) else {
      throw DocumentError("manifest", isManifest ? "it is manifest and index at once" : "it has neither layers nor manifests")
    }
    let shape = isManifest ? MediaType.Kind.manifest : .index
    for (kind, name) in zip(kinds, [declared, mediaType ?? ""]) where [.manifest, .index].contains(kind) && kind != shape {
      throw DocumentError(
        "manifest", "it is called \(MediaType.bare(name)), but has the members of \(shape == .index ? "an index" : "a manifest")")
    }
    return shape
  }
}
