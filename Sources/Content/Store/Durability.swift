import Core
import Linux
import OCI

/// Makes a layer durable before it gets its name.
enum Durability {
  /// Up to as many files and directories are synced one by one, which waits for nobody else's data. Each costs a flush of the disk: ten
  /// thousand files take seconds to minutes that way, and a fraction of a second with syncfs.
  static let oneByOne = 64

  /// Writes manifest, record and markers beside the layer's files, and removes what only putting it together needed.
  static func write(_ manifest: LayerManifest, _ record: LayerRecord, hasRoot: Bool, into path: String) throws {
    try Files.removeTree("\(path)/\(StagingDirectory.kept)")
    try Files.write(manifest.encoded(), to: "\(path)/\(LayerRecord.manifest)")
    try Files.write(JSONDocument.encode(record), to: "\(path)/\(LayerRecord.name)")
    if hasRoot { try Files.write([], to: "\(path)/\(LayerRecord.rootMarker)") }
  }

  /// - Parameter path: the staging directory, complete.
  static func sync(_ path: String, _ manifest: LayerManifest) throws {
    let directory = try Directory.open(path)
    if manifest.records.count > oneByOne { return try directory.handle.syncFilesystem() }
    let root = try ConfinedRoot(path: "\(path)/\(StagingDirectory.files)")
    for record in manifest.records {
      switch record.kind {
      case .directory: try root.directory(record.path).handle.sync()
      case .item(let item): if case .file = item.kind { try root.file(record.path).sync() }
      case .link, .whiteout: break
      }
    }
    for name in try directory.names() where name != StagingDirectory.files { try directory.readFile(name).sync() }
    try directory.handle.sync()
  }
}
