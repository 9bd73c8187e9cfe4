import Core
import Linux
import OCI

/// `docker save`'s archive: `manifest.json` names a configuration and layers by their files.
enum DockerArchive {
  private struct Entry: Decodable {
    var config: String
    var repoTags: [String]?
    var layers: [String]?

    enum CodingKeys: String, CodingKey {
      case config = "Config"
      case repoTags = "RepoTags"
      case layers = "Layers"
    }
  }

  static func read(_ manifest: ArchiveFiles.Region, _ files: ArchiveFiles) throws -> ([ArchivedImage], ArchiveContent) {
    let bytes = try manifest.readAll(limit: Int64(JSONDocument.maximumSize))
    let entries = try stage("manifest.json") { try JSONDocument.decode([Entry].self, from: bytes, as: "manifest.json") }
    var content = ArchiveContent(files: files)
    let images = try entries.map { entry in try stage("image \(entry.config)") { try image(entry, &content) } }
    return (images, content)
  }

  private static func image(_ entry: Entry, _ content: inout ArchiveContent) throws -> ArchivedImage {
    let bytes = try content.files.get(entry.config).readAll(limit: Int64(JSONDocument.maximumSize))
    let config = try ImageConfig.parse(bytes)
    let names = entry.layers ?? []
    guard config.rootfs.diffIDs.count == names.count else {
      throw Fault(.invalidArgument, "\(config.rootfs.diffIDs.count) diff IDs for \(names.count) layers")
    }
    let digest = Digest.sha256(of: bytes)
    content.places[digest] = entry.config
    var manifest = Manifest(
      mediaType: MediaType.dockerManifest,
      config: Descriptor(mediaType: MediaType.dockerConfig, digest: digest, size: Int64(bytes.count)), layers: [])
    for (name, diffID) in zip(names, config.rootfs.diffIDs) { manifest.layers.append(try layer(name, diffID, &content)) }
    return ArchivedImage(names: entry.repoTags ?? [], descriptor: try keep(manifest, &content))
  }

  /// A plain tar is named by its diff ID; a packed one has to be read to know its digest.
  private static func layer(_ name: String, _ diffID: Digest, _ content: inout ArchiveContent) throws -> Descriptor {
    let region = try content.files.get(name)
    let head = try region.read(at: 0, 4)
    let isGzip = head.starts(with: [0x1f, 0x8b])
    let isZstd = head.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
    let digest = isGzip || isZstd ? try hash(region) : diffID
    content.places[digest] = name
    let mediaType = isGzip ? MediaType.dockerLayerGzip : isZstd ? MediaType.dockerLayer + ".zstd" : MediaType.dockerLayer
    return Descriptor(mediaType: mediaType, digest: digest, size: region.size)
  }

  private static func hash(_ region: ArchiveFiles.Region) throws -> Digest {
    var hasher = ContentHasher()
    var position: Int64 = 0
    while position < region.size {
      let bytes = try region.read(at: position, 1 << 20)
      hasher.update(bytes)
      position += Int64(bytes.count)
    }
    return hasher.finish()
  }

  /// The made-up manifest lives in an unnamed file, so that it is read as everything else is.
  private static func keep(_ manifest: Manifest, _ content: inout ArchiveContent) throws -> Descriptor {
    let bytes = JSONDocument.encode(manifest)
    let digest = Digest.sha256(of: bytes)
    let file = try FileHandle.unnamed("manifest")
    try bytes.withUnsafeBytes { try file.write($0, at: 0) }
    content.made[digest] = ArchiveFiles.Region(opened: ArchiveFiles.Opened(file), offset: 0, size: Int64(bytes.count))
    return Descriptor(mediaType: MediaType.dockerManifest, digest: digest, size: Int64(bytes.count))
  }
}
