package import Core
import Linux
import OCI
import Synchronization

extension LayerDirectories {
  package func place(_ layer: any AppliedLayer, above parents: [LayerID]) async throws -> LayerInfo {
    guard let staged = layer as? StagedLayer else { throw Fault(.invalidArgument, "this layer was not applied by this store") }
    return try await stage("layer \(staged.diffID)") {
      try await BlockingWork.runInBackground { [self] in
        defer { try? Files.removeTree(staged.path) }
        let id = try identity(staged, above: parents)
        if let existing = info(id) { return existing }
        let (record, manifest, hasRoot) = try fit(staged, as: id, above: parents)
        try Durability.write(manifest, hasRoot: hasRoot, into: staged.path)
        return try adopt(staged.path, record)
      }
    }
  }

  /// Fits a staged layer to those below it.
  func fit(
    _ staged: StagedLayer, as id: LayerID, above parents: [LayerID]
  ) throws -> (record: LayerRecord, manifest: LayerManifest, hasRoot: Bool) {
    let tree = staged.isShared ? staged.tree.withoutWhiteouts : try FixUp.run(staged, above: parents.map { LayerLayout.files(root, $0) })
    let manifest = LayerManifest(tree)
    let record = LayerRecord(id: id, diffID: staged.diffID, shared: staged.isShared, usage: manifest.usage)
    return (record, manifest, tree[LayerTree.root].metadata != nil)
  }

  /// Renames the layer into place; the one that is there already wins.
  private func adopt(_ path: String, _ record: LayerRecord) throws -> LayerInfo {
    try tables.withLock { tables in
      if let existing = tables[record.id] { return existing.info }
      try Files.move(path, to: LayerLayout.directory(root, record.id))
      tables.place(record)
      return record.info
    }
  }

  package func commit(_ id: LayerID) async throws {
    if tables.withLock({ $0.committed[id] != nil }) { return }
    try await stage("layer \(id)") {
      try await commits.join(id) { [self] ids in try await BlockingWork.runInBackground { try self.commit(ids) } }
      guard tables.withLock({ $0.committed[id] != nil }) else { throw Fault(.notFound, "it was removed before it was committed") }
    }
  }

  /// All placed ones of these: first what they hold, then their records.
  private func commit(_ ids: [LayerID]) throws {
    let layers = tables.withLock { tables in Set(ids).compactMap { tables.placed[$0] } }
    do {
      try Durability.commit(layers.map { ($0, LayerLayout.directory(root, $0.id)) }, in: LayerLayout.directory(root))
      tables.withLock { tables in layers.forEach { tables.commit($0) } }
    } catch {
      for layer in layers { drop(layer.id) }
      throw error
    }
  }

  private func drop(_ id: LayerID) {
    tables.withLock { $0.remove(id) }
    try? Files.removeTree(LayerLayout.directory(root, id))
  }
}
