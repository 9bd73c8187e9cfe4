import Core
import OCI

/// An OCI image layout (OCI image spec, image-layout.md).
enum OCIArchive {
  /// containerd's full name first, then the spec's, which may be a tag only.
  private static let names = ["io.containerd.image.name", "org.opencontainers.image.ref.name"]

  static func read(_ index: ArchiveFiles.Region, _ files: ArchiveFiles) throws -> ([ArchivedImage], ArchiveContent) {
    let bytes = try index.readAll(limit: Int64(JSONDocument.maximumSize))
    let index = try stage("index.json") { try JSONDocument.decode(Index.self, from: bytes, as: "index") }
    let images = index.manifests.map { descriptor in
      let name = names.lazy.compactMap { descriptor.annotations?[$0] }.first
      return ArchivedImage(names: name.map { [$0] } ?? [], descriptor: descriptor)
    }
    return (merged(images), ArchiveContent(files: files))
  }

  /// The same image under several names is listed once for each.
  private static func merged(_ images: [ArchivedImage]) -> [ArchivedImage] {
    var result: [ArchivedImage] = []
    for image in images {
      if let known = result.firstIndex(where: { $0.descriptor.digest == image.descriptor.digest }) {
        result[known].names += image.names
      } else {
        result.append(image)
      }
    }
    return result
  }
}
