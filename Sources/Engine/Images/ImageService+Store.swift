import Core
import Logging
package import OCI

/// What prune removes, or would.
package struct PrunedImage: Sendable {
  package let image: ImageRecord
  /// What goes from the disk with it, once the images before it are gone.
  package let bytes: Int64
}

/// What one image takes.
package struct ImageShare: Sendable {
  package let image: ImageRecord
  package let bytes: Int64
  /// Of these, in layers that other images have too.
  package let shared: Int64
  package let containers: Int
}

extension ImageService {
  /// The image's configuration, as it was pulled; nil where it cannot be read.
  package func configuration(_ image: ImageRecord) -> [UInt8]? { try? content.read(image.id) }

  /// Names an image; takes the name from the image that had it. NOT_FOUND without the image.
  package func tag(_ image: String, as name: String) async throws -> ImageReference {
    let record = try named(image)
    let reference: ImageReference
    do { reference = try ImageReference(parsing: name) } catch { throw Fault(.invalidArgument, "tag \"\(name.prefix(300))\": \(error)") }
    guard reference.digest == nil else { throw Fault(.invalidArgument, "tag \"\(name.prefix(300))\": a digest cannot be given") }
    try await index.tag(record, reference)
    logger.info("image tagged", metadata: ["image": "\(record.id)", "name": "\(reference)"])
    return reference
  }

  /// Images that no container is made of; pinned ones stay.
  package func prune(dryRun: Bool) async throws -> [PrunedImage] {
    let containers = containersByImage()
    let unused = index.list().filter { containers[$0.id] == nil && !$0.pinned }.sorted { $0.id.hex < $1.id.hex }
    var users = garbage.layerUsers()
    let sizes = try layerSizes()
    let pruned = unused.map { image in
      var bytes: Int64 = 0
      for layer in Set(image.layers) {
        users[layer, default: 1] -= 1
        if users[layer] == 0 { bytes += sizes[layer] ?? 0 }
      }
      return PrunedImage(image: image, bytes: bytes)
    }
    if dryRun { return pruned }
    for one in pruned { try await index.remove(one.image.id) }
    if !pruned.isEmpty { garbage.request() }
    logger.info("images pruned", metadata: ["images": "\(pruned.count)", "bytes": "\(pruned.reduce(0) { $0 + $1.bytes })"])
    return pruned
  }

  package func shares() throws -> [ImageShare] {
    let (users, sizes, containers) = (garbage.layerUsers(), try layerSizes(), containersByImage())
    return index.list().sorted { $0.id.hex < $1.id.hex }.map { image in
      let layers = Set(image.layers)
      return ImageShare(
        image: image, bytes: layers.reduce(0) { $0 + (sizes[$1] ?? 0) },
        shared: layers.reduce(0) { $0 + ((users[$1] ?? 0) > 1 ? sizes[$1] ?? 0 : 0) }, containers: containers[image.id] ?? 0)
    }
  }

  /// Bytes of manifests, indexes, configurations, and of layers as far as they are kept.
  package func contentBytes() throws -> Int64 { try content.list().reduce(0) { $0 + (content.size($1) ?? 0) } }

  private func layerSizes() throws -> [LayerID: Int64] {
    Dictionary(try layers.list().map { ($0.id, $0.usage.bytes) }) { first, _ in first }
  }

  /// All containers are the CRI's.
  private func containersByImage() -> [Digest: Int] { index.namespace == ImageNamespaces.standard ? garbage.containersByImage() : [:] }
}
