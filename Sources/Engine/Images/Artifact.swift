import Core
import OCI

/// An OCI artifact (image-spec, manifest.md "Guidelines for Artifact Usage"): a manifest whose layers are files rather than layers of a root filesystem.
/// On this node it is one layer with these files in it, to be mounted as a volume.
struct Artifact: Sendable {
  /// What it is, `application/vnd.example.model.v1`.
  let type: String
  private let manifest: Manifest

  private static let title = "org.opencontainers.image.title"
  /// A directory as oras packs it: a tar, and the digest of it unpacked.
  private static let unpack = "io.deis.oras.content.unpack"
  private static let unpacked = "io.deis.oras.content.digest"
  /// PATH_MAX without its NUL.
  private static let longest = 4095

  /// `nil` for an image.
  init?(_ manifest: Manifest) {
    let bare = MediaType.bare(manifest.config.mediaType)
    if manifest.config.kind == .config || bare.isEmpty || bare == "application/octet-stream" { return nil }
    type = manifest.artifactType ?? bare
    self.manifest = manifest
  }

  /// One file a blob, named by its title; by its digest where it has none. Names that lead out of the layer are refused when it is unpacked.
  func files() throws -> [ArchiveMember] {
    let members = manifest.layers.filter { Self.directory($0) == nil }.map { blob in
      ArchiveMember(name: blob.annotations?[Self.title] ?? blob.digest.hex, content: .blob(blob.digest, size: blob.size))
    }
    var names: Set<String> = []
    for member in members {
      guard member.name.utf8.count <= Self.longest else {
        throw Fault(
          .invalidArgument, "artifact: the name of a file in it has \(member.name.utf8.count) bytes, at most \(Self.longest) are allowed")
      }
      guard !member.name.isEmpty, !member.name.hasPrefix("/"), !member.name.split(separator: "/").contains("..") else {
        throw Fault(.invalidArgument, "artifact: \"\(member.name.prefix(200))\" cannot be the name of a file in it")
      }
      guard names.insert(member.name).inserted else {
        throw Fault(.invalidArgument, "artifact: two of its files are called \"\(member.name.prefix(200))\"")
      }
    }
    return members
  }

  /// Its directories: layers that are unpacked above the files.
  var directories: [LayerDescription] { manifest.layers.compactMap(Self.directory) }

  /// `nil` for a file. A directory whose tar's digest is not said is one: there is nothing that what is unpacked could be checked against.
  private static func directory(_ blob: Descriptor) -> LayerDescription? {
    guard blob.annotations?[unpack] == "true", case .layer = blob.kind, let digest = blob.annotations?[unpacked].flatMap({ Digest($0) })
    else { return nil }
    return LayerDescription(descriptor: blob, diffID: digest)
  }

  /// Distinct blobs.
  var blobs: [Descriptor] {
    manifest.layers.reduce(into: []) { blobs, blob in if !blobs.contains(where: { $0.digest == blob.digest }) { blobs.append(blob) } }
  }
}

/// The layer that an artifact's files become, as a source of that one blob: a tar, which is made while it is read. Directories come from the
/// content store, where they are by then.
struct ArtifactLayer: RegistrySource {
  let base: any RegistrySource
  let members: [ArchiveMember]
  let packer: any ArchivePacker
  let content: any BlobStore
  let descriptor: Descriptor

  var description: LayerDescription { LayerDescription(descriptor: descriptor, diffID: descriptor.digest) }

  /// Reads all files once, to know what the tar's digest will be; they are in the content store.
  init(_ members: [ArchiveMember], _ packer: any ArchivePacker, _ content: any BlobStore, base: any RegistrySource) async throws {
    let sum = TarSum()
    try await packer.pack(members) { await sum.add($0) }
    (self.members, self.packer, self.content, self.base) = (members, packer, content, base)
    descriptor = await sum.descriptor()
  }

  /// A layer that is on this node already.
  init(known digest: Digest, _ packer: any ArchivePacker, _ content: any BlobStore, base: any RegistrySource) {
    (members, self.packer, self.content, self.base) = ([], packer, content, base)
    descriptor = Descriptor(mediaType: MediaType.ociLayer, digest: digest, size: 0)
  }

  func manifest(_ reference: ImageReference, credentials: RegistryCredentials?) async throws -> ManifestDocument {
    try await base.manifest(reference, credentials: credentials)
  }

  func blob(_ descriptor: Descriptor, of reference: ImageReference, credentials: RegistryCredentials?) async throws -> any BlobStream {
    guard descriptor.digest == self.descriptor.digest else {
      if content.size(descriptor.digest) == descriptor.size { return try await content.open(descriptor.digest, from: 0) }
      return try await base.blob(descriptor, of: reference, credentials: credentials)
    }
    let (members, packer) = (members, packer)
    return PackedStream { sink in try await packer.pack(members, to: sink) }
  }
}

/// Digest and size of what is added.
private actor TarSum {
  private var hasher = ContentHasher()
  private var size: Int64 = 0

  func add(_ bytes: [UInt8]) {
    hasher.update(bytes)
    size += Int64(bytes.count)
  }

  func descriptor() -> Descriptor { Descriptor(mediaType: MediaType.ociLayer, digest: hasher.finish(), size: size) }
}
