package import Core
import Linux
import Logging
import OCI

extension ImageService {
  /// Writes images as one archive: an OCI layout that docker can load too.
  /// - Parameter names: each becomes a name in the archive as it is given, unless it is an ID: then all the image's tags do.
  package func export(
    _ names: [String], _ choice: PlatformChoice, packer: any ArchivePacker, to sink: ([UInt8]) async throws -> Void
  ) async throws {
    guard !names.isEmpty else { throw Fault(.invalidArgument, "no image was named") }
    try await garbage.holding {
      defer { garbage.request() }
      var layout = ExportedLayout()
      for name in names { try await stage("image \"\(name.prefix(300))\"") { try await add(name, choice, to: &layout) } }
      try await stage("archive") { try await packer.pack(layout.members(), to: sink) }
    }
    logger.info("images exported", metadata: ["images": "\(names)"])
  }

  private func add(_ name: String, _ choice: PlatformChoice, to layout: inout ExportedLayout) async throws {
    guard let record = try find(name) else { throw Fault(.notFound, "not found") }
    let origin = origin(of: record, nil)
    let tree = try await ImageTreeBuilder(image: record, origin: origin, platform: platform).tree(choice)
    try await withThrowingTaskGroup { group in
      for blob in tree.blobs {
        group.addTask { try await stage("layer \(blob.digest)") { try await origin.fetch(blob) } }
      }
      try await group.waitForAll()
    }
    let reference = try? ImageReference(parsing: name)
    let tag = reference?.repoTag.flatMap { record.tags.contains($0) ? $0 : nil }
    layout.add(tree, names: tag.map { [$0] } ?? record.tags)
  }
}
