import Core
package import OCI

/// An image as a scripted registry serves it; tests change parts of it before it is asked for.
package struct ServedImage: Sendable {
  package var layers: [PackedLayer]
  package var config: [UInt8]
  package var manifest: [UInt8]

  /// - Parameter layers: lowest first.
  package init(_ layers: [PackedLayer], platform: Platform = .host, _ change: (inout ImageConfig) -> Void = { _ in }) {
    self.layers = layers
    var config = ImageConfig()
    (config.os, config.architecture) = (platform.os, platform.architecture)
    config.rootfs = ImageConfig.RootFS(diffIDs: layers.map(\.description.diffID))
    change(&config)
    self.config = JSONDocument.encode(config)
    let descriptor = Descriptor(mediaType: MediaType.ociConfig, digest: .sha256(of: self.config), size: Int64(self.config.count))
    manifest = JSONDocument.encode(
      Manifest(mediaType: MediaType.ociManifest, config: descriptor, layers: layers.map(\.description.descriptor)))
  }

  package var digest: Digest { .sha256(of: manifest) }

  /// What an honest registry answers: the manifest whatever it is asked for, and blobs by digest.
  package func answer(_ request: HostileServer.Request) -> [HostileServer.Step] {
    if request.path.contains("/manifests/") { return .response(200, ["Content-Type": MediaType.ociManifest], manifest) }
    guard let blob = blob(request) else { return .response(404, text: "") }
    return .blob(blob, request)
  }

  /// The blob that is asked for.
  package func blob(_ request: HostileServer.Request) -> [UInt8]? {
    ([config] + layers.map(\.blob)).first { request.path.hasSuffix("/blobs/\(Digest.sha256(of: $0))") }
      ?? layers.first { request.path.hasSuffix("/blobs/\($0.description.descriptor.digest)") }?.blob
  }
}
