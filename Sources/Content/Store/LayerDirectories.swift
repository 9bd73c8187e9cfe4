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
  let tables: Mutex<LayerTables>
  let commits = GroupCommit()

  /// What an earlier daemon did not finish or could not read, as it was found at the start.
  private let leftovers: [String]

  /// Reads what is there. A layer whose record is damaged is left out and moved aside, never an error.
  package init(root: String, limits: ExtractionLimits = ExtractionLimits(), log: Logger = Logger(label: "layers")) throws {
    self.root = root
    self.limits = limits
    self.log = log
    try Files.makeDirectories(Self.ingests(root))
    let found = try Self.load(root, log)
    tables = Mutex(LayerTables(committed: found))
    leftovers = try Self.leftovers(root)
  }

  private static func leftovers(_ root: String) throws -> [String] {
    let directory = LayerLayout.directory(root)
    return try Files.list(ingests(root)).map { "\(ingests(root))/\($0)" }
      + Files.list(directory).filter { $0.hasPrefix(asidePrefix) }.map { "\(directory)/\($0)" }
  }

  /// Layers on their way in, below the same directory: committing is a rename.
  private static func ingests(_ root: String) -> String { "\(LayerLayout.directory(root))/ingest" }
  /// What could not be read at the start; removed by ``sweep()``.
  private static let asidePrefix = "damaged-"

  private static func load(_ root: String, _ log: Logger) throws -> [LayerID: LayerRecord] {
    var found: [LayerID: LayerRecord] = [:]
    for name in try Files.list(LayerLayout.directory(root)) {
      guard let id = LayerLayout.id(name) else { continue }
      do { found[id] = try LayerRecord(of: id, root: root) } catch {
        // One without a record was placed when the daemon or the machine died before it was committed.
        let isDamaged = Files.exists("\(LayerLayout.directory(root, id))/\(LayerRecord.name)")
        log.log(level: isDamaged ? .error : .info, "layer set aside", metadata: ["layer": "\(id)", "error": "\(error)"])
        try? Files.place(LayerLayout.directory(root, id), at: "\(LayerLayout.directory(root))/\(asidePrefix)\(name)")
      }
    }
    return found
  }

  package func find(_ diffID: Digest, chainID: Digest) -> LayerInfo? {
    tables.withLock { tables in
      if let shared = tables[LayerID(diffID)], shared.shared { return shared.info }
      return tables[LayerID(chainID)].flatMap { $0.diffID == diffID ? $0.info : nil }
    }
  }

  package func list() throws -> [LayerInfo] {
    tables.withLock { $0.committed.values.map(\.info) }.sorted { $0.id.description < $1.id.description }
  }

  package func ingest(_ layer: LayerDescription) async throws -> any LayerIngest {
    LayerApplication(layer, path: "\(Self.ingests(root))/\(Identifier.random())", limits: limits)
  }

  package func discard(_ layer: any AppliedLayer) async {
    guard let staged = layer as? StagedLayer else { return }
    await BlockingWork.run { try? Files.removeTree(staged.path) }
  }

  func identity(_ staged: StagedLayer, above parents: [LayerID]) throws -> LayerID {
    if staged.isShared { return LayerID(staged.diffID) }
    let chain = try parents.map { id in
      guard let info = info(id) else { throw Fault(.failedPrecondition, "the layer \(id) below it is not there") }
      return info.diffID
    }
    return LayerID(ChainID.compute(chain + [staged.diffID]) ?? staged.diffID)
  }

  func info(_ id: LayerID) -> LayerInfo? { tables.withLock { $0[id]?.info } }

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
    tables.withLock { $0.remove(id) }
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

  package func sweep() async {
    for path in leftovers {
      do { try await BlockingWork.runInBackground { try Files.removeTree(path) } } catch {
        log.error("layers: what an earlier daemon left cannot be removed: \(error)")
      }
    }
  }

  package func readFile(_ path: String, in layers: [LayerID], limit: Int) throws -> [UInt8]? {
    try stage("file \(path) of the image") {
      try MergedView(layers.map { LayerLayout.files(root, $0) }).readFile(RawName(path), limit: limit)
    }
  }

  package func places(_ paths: [String], in layers: [LayerID]) throws -> [ImagePlace] {
    let view = try MergedView(layers.map { LayerLayout.files(root, $0) })
    return try paths.map { path in try stage("\(path) in the image") { try view.place(RawName(path)) } }
  }
}
