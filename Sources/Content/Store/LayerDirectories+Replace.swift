package import Core
import Linux
import OCI

extension LayerDirectories {
  package func replace(_ id: LayerID, with layer: any AppliedLayer, above parents: [LayerID]) async throws {
    guard let staged = layer as? StagedLayer else { throw Fault(.invalidArgument, "this layer was not applied by this store") }
    try await stage("layer \(id)") {
      try await BlockingWork.run { [self] in
        // After the exchange the damaged files are there.
        defer { try? Files.removeTree(staged.path) }
        guard try identity(staged, above: parents) == id, info(id) != nil else {
          throw Fault(.failedPrecondition, "it is not the layer that was to be replaced")
        }
        let (record, manifest, hasRoot) = try fit(staged, as: id, above: parents)
        try Durability.write(manifest, hasRoot: hasRoot, into: staged.path)
        try Files.write(JSONDocument.encode(record), to: "\(staged.path)/\(LayerRecord.name)")
        try Durability.sync(staged.path, manifest)
        try Files.exchange(staged.path, LayerLayout.directory(root, id))
        try Files.syncDirectory(LayerLayout.directory(root))
      }
    }
  }
}
