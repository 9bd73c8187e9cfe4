package import Core
import Linux

extension LayerDirectories {
  package func replace(_ id: LayerID, with layer: any AppliedLayer, above parents: [LayerID]) async throws {
    guard let staged = layer as? StagedLayer else { throw Fault(.invalidArgument, "this layer was not applied by this store") }
    try await stage("layer \(id)") {
      try await BlockingWork.run { [self] in
        // After the exchange the damaged files are there.
        defer { try? Files.removeTree(staged.path) }
        let record = try complete(staged, above: parents)
        guard record.id == id, info(id) != nil else { throw Fault(.failedPrecondition, "it is not the layer that was to be replaced") }
        try Files.exchange(staged.path, LayerLayout.directory(root, id))
        try Files.syncDirectory(LayerLayout.directory(root))
      }
    }
  }
}
