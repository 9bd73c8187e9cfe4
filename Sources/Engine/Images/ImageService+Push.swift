package import Core
import Linux
import Logging
package import OCI

extension ImageService {
  /// Blobs of one push on their way at the same time.
  private static let uploads = 4

  /// Sends an image to a registry, under its own name or another. Ends with its caller.
  /// - Parameters:
  ///   - name: empty for the image's own, `image`.
  ///   - credentials: for the registry that is pushed to.
  /// - Returns: what the name leads to now.
  package func push(
    _ image: String, to name: String, _ choice: PlatformChoice, credentials: RegistryCredentials?, target: any RegistryTarget,
    progress: PullProgress = PullProgress()
  ) async throws -> (reference: ImageReference, digest: Digest) {
    let record = try named(image)
    let reference = try Self.destination(name.isEmpty ? image : name, of: record)
    let started = SystemClock.monotonicNanoseconds()
    let digest = try await stage("push \(reference)") {
      try await garbage.holding {
        defer { garbage.request() }
        let origin = origin(of: record, credentials.map { (reference.domain, $0) })
        let tree = try await ImageTreeBuilder(image: record, origin: origin, platform: platform).tree(choice)
        if let wanted = reference.digest, wanted != tree.root.descriptor.digest {
          throw Fault(.invalidArgument, "what is pushed has the digest \(tree.root.descriptor.digest)")
        }
        let siblings = Self.siblings(of: reference, record)
        let push = ImagePush(
          tree: tree, target: reference, registry: try target.push(to: reference, credentials: credentials, mounting: siblings),
          origin: origin,
          siblings: siblings, uploads: Slots(Self.uploads), progress: progress)
        try await running.during("\(reference)", progress, as: .push) { try await push.run() }
        return tree.root.descriptor.digest
      }
    }
    let milliseconds = (SystemClock.monotonicNanoseconds() - started) / 1_000_000
    logger.info("image pushed", metadata: ["image": "\(record.id)", "to": "\(reference)", "digest": "\(digest)", "ms": "\(milliseconds)"])
    return (reference, digest)
  }

  func origin(of record: ImageRecord, _ credentials: (String, RegistryCredentials)?) -> ImageOrigin {
    ImageOrigin(image: record, content: content, registry: registry, credentials: credentials, downloads: downloads)
  }

  /// An image named by its ID goes where its only name says.
  private static func destination(_ name: String, of record: ImageRecord) throws -> ImageReference {
    if name == record.id.description || record.id.hex.hasPrefix(name.hasPrefix("sha256:") ? String(name.dropFirst(7)) : name) {
      guard record.tags.count == 1 else {
        throw Fault(.invalidArgument, "image \(record.id) has \(record.tags.count) names: say where to push it to")
      }
      return try asFault { try ImageReference(parsing: record.tags[0]) }
    }
    return try stage("name \"\(name.prefix(300))\"") { try asFault { try ImageReference(parsing: name) } }
  }

  private static func siblings(of target: ImageReference, _ record: ImageRecord) -> [String] {
    let names = (record.digests + record.tags).compactMap { try? ImageReference(parsing: $0) }
    let paths = Set(names.filter { $0.domain == target.domain && $0.path != target.path }.map(\.path))
    return Array(paths.sorted().prefix(4))
  }
}
