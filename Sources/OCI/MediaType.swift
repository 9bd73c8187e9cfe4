/// Media types of OCI images and of Docker's schema 2, and what they mean (OCI image spec, media-types.md).
package enum MediaType {
  package static let ociIndex = "application/vnd.oci.image.index.v1+json"
  package static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
  package static let ociConfig = "application/vnd.oci.image.config.v1+json"
  package static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
  package static let ociLayerGzip = ociLayer + "+gzip"
  package static let ociLayerZstd = ociLayer + "+zstd"
  package static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
  package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
  package static let dockerConfig = "application/vnd.docker.container.image.v1+json"
  package static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"
  package static let dockerLayerGzip = dockerLayer + ".gzip"
  package static let dockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json"
  package static let dockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"

  /// What a client that pulls images accepts, best first.
  package static let manifests = [ociIndex, ociManifest, dockerList, dockerManifest]

  /// How a layer's tar is packed, as far as its media type says; readers trust the bytes' own magic first.
  package enum Compression: Hashable, Sendable {
    case none, gzip, zstd
  }

  /// What a document or blob is.
  package enum Kind: Hashable, Sendable {
    case index, manifest, config
    /// `distributable` is false for foreign layers, whose bytes may have to come from the descriptor's URLs.
    case layer(Compression, distributable: Bool)
    /// Docker schema 1: no client of today should accept it.
    case schema1
    case other
  }

  /// Parameters (`; charset=utf-8`) and case do not matter.
  package static func kind(of mediaType: String) -> Kind {
    let bare = bare(mediaType)
    switch bare {
    case ociIndex, dockerList: return .index
    case ociManifest, dockerManifest: return .manifest
    case ociConfig, dockerConfig: return .config
    case dockerSchema1, dockerSchema1Signed: return .schema1
    default: return layerKind(of: bare) ?? .other
    }
  }

  /// Without parameters, in lower case.
  package static func bare(_ mediaType: String) -> String {
    let head = mediaType.prefix { $0 != ";" }
    return String(head.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()).lowercased()
  }

  private static func layerKind(of bare: String) -> Kind? {
    switch bare {
    case dockerLayer: .layer(.none, distributable: true)
    case dockerLayerGzip, "application/vnd.docker.container.image.rootfs.diff+x-gtar": .layer(.gzip, distributable: true)
    case dockerLayer + ".zstd": .layer(.zstd, distributable: true)
    case "application/vnd.docker.image.rootfs.foreign.diff.tar": .layer(.none, distributable: false)
    case "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": .layer(.gzip, distributable: false)
    default: ociLayerKind(of: bare)
    }
  }

  private static func ociLayerKind(of bare: String) -> Kind? {
    let restricted = "application/vnd.oci.image.layer.nondistributable.v1.tar"
    for (base, distributable) in [(ociLayer, true), (restricted, false)] where bare.hasPrefix(base) {
      switch bare.dropFirst(base.count) {
      case "": return .layer(.none, distributable: distributable)
      case "+gzip": return .layer(.gzip, distributable: distributable)
      case "+zstd": return .layer(.zstd, distributable: distributable)
      default: return nil
      }
    }
    return nil
  }
}
