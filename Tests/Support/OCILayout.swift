import Core
import Linux
package import OCI

/// Writes an OCI image layout (OCI image spec, image-layout.md) for other tools to read.
package enum OCILayout {
  /// One image of `layers`, lowest first, under the tag `name`.
  @discardableResult
  package static func write(_ layers: [PackedLayer], to path: String, name: String = "test") throws -> Descriptor {
    try Files.makeDirectories("\(path)/blobs/sha256")
    try Files.write(#"{"imageLayoutVersion":"1.0.0"}"#, to: "\(path)/oci-layout")
    for layer in layers { try put(layer.blob, path) }
    var config = ImageConfig()
    (config.os, config.architecture) = (Platform.host.os, Platform.host.architecture)
    config.rootfs = ImageConfig.RootFS(diffIDs: layers.map(\.description.diffID))
    let manifest = Manifest(
      config: try put(JSONDocument.encode(config), path, MediaType.ociConfig), layers: layers.map(\.description.descriptor))
    var descriptor = try put(JSONDocument.encode(manifest), path, MediaType.ociManifest)
    descriptor.annotations = ["org.opencontainers.image.ref.name": name]
    try Files.write(JSONDocument.encode(Index(manifests: [descriptor])), to: "\(path)/index.json")
    return descriptor
  }

  @discardableResult
  private static func put(_ bytes: [UInt8], _ path: String, _ mediaType: String = "") throws -> Descriptor {
    let digest = Digest.sha256(of: bytes)
    try Files.write(bytes, to: "\(path)/blobs/sha256/\(digest.hex)")
    return Descriptor(mediaType: mediaType, digest: digest, size: Int64(bytes.count))
  }
}

/// What another implementation makes of the same layers.
package enum Umoci {
  package static func unpack(_ layers: [PackedLayer], in scratch: String) async throws -> String {
    try OCILayout.write(layers, to: "\(scratch)/layout")
    let output = try await Command.run(
      "/usr/bin/umoci", ["raw", "unpack", "--image", "\(scratch)/layout:test", "\(scratch)/umoci"],
      environment: ["PATH=/usr/bin:/bin", "HOME=\(scratch)"], timeout: .seconds(120))
    guard output.succeeded else { throw Fault(.internal, "umoci: \(String(decoding: output.stderr, as: UTF8.self))") }
    return "\(scratch)/umoci"
  }
}
