import Core
import FoundationEssentials
import OCI

/// An OCI image layout (OCI image spec, image-layout.md) of several images, with the `manifest.json` that docker reads beside it.
struct ExportedLayout {
  private var roots: [Descriptor] = []
  private var documents: [Digest: [UInt8]] = [:]
  private var blobs: [Digest: Int64] = [:]
  private var docker: [DockerImage] = []

  /// An entry of `manifest.json`, as `docker save` writes it.
  private struct DockerImage: Encodable {
    let config: String
    var tags: [String]
    let layers: [String]

    enum CodingKeys: String, CodingKey {
      case config = "Config"
      case tags = "RepoTags"
      case layers = "Layers"
    }
  }

  /// containerd's full name, and the specification's, which other tools take for the tag alone.
  private static let (fullName, refName) = ("io.containerd.image.name", "org.opencontainers.image.ref.name")

  mutating func add(_ tree: ImageTree, names: [String]) {
    for document in [tree.root] + tree.inner { documents[document.descriptor.digest] = document.bytes }
    for blob in tree.blobs { blobs[blob.digest] = blob.size }
    for name in names.isEmpty ? [nil] : names.map(Optional.some) {
      var root = tree.root.descriptor
      root.annotations = name.map { [Self.fullName: $0, Self.refName: Self.tag(of: $0)] }
      roots.append(root)
    }
    if let manifest = tree.manifest, MediaType.kind(of: manifest.config.mediaType) == .config { add(manifest, names) }
  }

  private mutating func add(_ manifest: Manifest, _ names: [String]) {
    guard manifest.layers.allSatisfy({ blobs[$0.digest] != nil }) else { return }
    let image = DockerImage(config: Self.path(manifest.config.digest), tags: names, layers: manifest.layers.map { Self.path($0.digest) })
    if let known = docker.firstIndex(where: { $0.config == image.config && $0.layers == image.layers }) {
      docker[known].tags += names
    } else {
      docker.append(image)
    }
  }

  private static func tag(of name: String) -> String { (try? ImageReference(parsing: name))?.tag ?? name }

  private static func path(_ digest: Digest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

  /// What readers want first comes first.
  func members() throws -> [ArchiveMember] {
    var members = [ArchiveMember(name: "oci-layout", content: .bytes(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)))]
    members.append(ArchiveMember(name: "index.json", content: .bytes(JSONDocument.encode(Index(manifests: roots)))))
    if !docker.isEmpty { members.append(ArchiveMember(name: "manifest.json", content: .bytes(JSONDocument.encode(docker)))) }
    for (digest, bytes) in documents.sorted(by: { $0.key.hex < $1.key.hex }) {
      members.append(ArchiveMember(name: Self.path(digest), content: .bytes(bytes)))
    }
    for (digest, size) in blobs.sorted(by: { $0.key.hex < $1.key.hex }) {
      members.append(ArchiveMember(name: Self.path(digest), content: .blob(digest, size: size)))
    }
    return members
  }
}
