package import Core
import Linux
package import Logging
package import OCI
import Synchronization

/// Committed layers as directories, `layers/<algorithm>-<hex>` below the daemon's root, each with its own record: the files are the truth.
/// Records are read once, then served from memory.
package final class LayerDirectories: LayerStore {
  let root: String
  private let limits: ExtractionLimits
  private let log: Logger
  private let records: Mutex<[LayerID: LayerRecord]>

  /// Reads what is there. A layer whose record is damaged is left out and moved aside, never an error.
  package init(root: String, limits: ExtractionLimits = ExtractionLimits(), log: Logger = Logger(label: "layers")) throws {
    self.root = root
    self.limits = limits
    self.log = log
    try Files.makeDirectories(Self.ingests(root))
    let found = try Self.load(root, log)
    records = Mutex(found)
  }

  /// Layers on their way in, below the same directory: committing is a rename.
  private static func ingests(_ root: String) -> String { "\(LayerLayout.directory(root))/ingest" }
  /// What could not be read at start-up; removed by ``sweep()``.
  private static let asidePrefix = "damaged-"

  private static func load(_ root: String, _ log: Logger) throws -> [LayerID: LayerRecord] {
    var found: [LayerID: LayerRecord] = [:]
    for name in try Files.list(LayerLayout.directory(root)) {
      guard let id = LayerLayout.id(name) else { continue }
      do { found[id] = try LayerRecord(of: id, root: root) } catch {
        log.error("layer set aside", metadata: ["layer": "\(id)", "error": "\(error)"])
        try? Files.place(LayerLayout.directory(root, id), at: "\(LayerLayout.directory(root))/\(asidePrefix)\(name)")
      }
    }
    return found
  }

  package func find(_ diffID: Digest, chainID: Digest) -> LayerInfo? {
    records.withLock { records in
      if let shared = records[LayerID(diffID)], shared.shared { return shared.info }
      return records[LayerID(chainID)].flatMap { $0.diffID == diffID ? $0.info : nil }
    }
  }

  package func list() throws -> [LayerInfo] {
    records.withLock { $0.values.map(\.info) }.sorted { $0.id.description < $1.id.description }
  }

  package func ingest(_ layer: LayerDescription) async throws -> any LayerIngest {
    LayerApplication(layer, path: "\(Self.ingests(root))/\(Identifier.random())", limits: limits)
  }

  package func discard(_ layer: any AppliedLayer) async {
    guard let staged = layer as? StagedLayer else { return }
    await BlockingWork.run { try? Files.removeTree(staged.path) }
  }

  package func commit(_ layer: any AppliedLayer, above parents: [LayerID]) async throws -> LayerInfo {
    guard let staged = layer as? StagedLayer else { throw Fault(.invalidArgument, "this layer was not applied by this store") }
    return try await stage("layer \(staged.diffID)") {
      try await BlockingWork.run { [self] in
        defer { try? Files.removeTree(staged.path) }
        return try place(staged, above: parents)
      }
    }
  }

  private func place(_ staged: StagedLayer, above parents: [LayerID]) throws -> LayerInfo {
    if let existing = info(try identity(staged, above: parents)) { return existing }
    return try adopt(staged.path, try complete(staged, above: parents))
  }

  /// Fits a staged layer to those below it, and makes it durable with its manifest and its record.
  func complete(_ staged: StagedLayer, above parents: [LayerID]) throws -> LayerRecord {
    let id = try identity(staged, above: parents)
    let tree = staged.isShared ? staged.tree : try FixUp.run(staged, above: parents.map { LayerLayout.files(root, $0) })
    let manifest = LayerManifest(tree)
    let record = LayerRecord(id: id, diffID: staged.diffID, shared: staged.isShared, usage: manifest.usage)
    try Durability.write(manifest, record, hasRoot: tree[LayerTree.root].metadata != nil, into: staged.path)
    try Durability.sync(staged.path, manifest)
    return record
  }

  /// Renames the layer into place; the one that is there already wins, whoever is about to record it.
  private func adopt(_ path: String, _ record: LayerRecord) throws -> LayerInfo {
    var record = record
    do { try Files.place(path, at: LayerLayout.directory(root, record.id)) } catch {
      guard error.isTaken else { throw error }
      record = try LayerRecord(of: record.id, root: root)
      try Files.syncDirectory(LayerLayout.directory(root))
    }
    records.withLock { $0[record.id] = record }
    return record.info
  }

  private func identity(_ staged: StagedLayer, above parents: [LayerID]) throws -> LayerID {
    if staged.isShared { return LayerID(staged.diffID) }
    let chain = try parents.map { id in
      guard let info = info(id) else { throw Fault(.failedPrecondition, "the layer \(id) below it is not there") }
      return info.diffID
    }
    return LayerID(ChainID.compute(chain + [staged.diffID]) ?? staged.diffID)
  }

  func info(_ id: LayerID) -> LayerInfo? { records.withLock { $0[id]?.info } }

  package func verify(_ id: LayerID) async throws -> [String] {
    guard info(id) != nil else { throw Fault(.notFound, "layer \(id): there is no such layer") }
    let directory = LayerLayout.directory(root, id)
    return try await stage("layer \(id)") {
      try await BlockingWork.runInBackground {
        let manifest = try LayerManifest(decoding: try Files.read("\(directory)/\(LayerRecord.manifest)", limit: 1 << 30))
        var verifier = try LayerVerifier(root: "\(directory)/\(StagingDirectory.files)")
        return try verifier.verify(manifest)
      }
    }
  }

  /// The record goes first (a layer without one is a leftover), then the name, then the files.
  package func remove(_ id: LayerID) async throws {
    _ = records.withLock { $0.removeValue(forKey: id) }
    let aside = "\(Self.ingests(root))/\(Identifier.random())"
    let directory = LayerLayout.directory(root, id)
    try await stage("layer \(id)") {
      try await BlockingWork.runInBackground {
        do { try Files.place(directory, at: aside) } catch let error as SystemError {
          if error.isMissing { return }
          throw error
        }
        try Files.removeTree(aside)
      }
    }
  }

  package func sweep() throws {
    for name in try Files.list(Self.ingests(root)) { try Files.removeTree("\(Self.ingests(root))/\(name)") }
    for name in try Files.list(LayerLayout.directory(root)) where name.hasPrefix(Self.asidePrefix) {
      try Files.removeTree("\(LayerLayout.directory(root))/\(name)")
    }
  }

  package func readFile(_ path: String, in layers: [LayerID], limit: Int) throws -> [UInt8]? {
    try stage("file \(path) of the image") {
      try MergedView(layers.map { LayerLayout.files(root, $0) }).readFile(RawName(path), limit: limit)
    }
  }
}
