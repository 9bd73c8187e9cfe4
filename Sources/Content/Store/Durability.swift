import Core
import Linux
import OCI

/// Makes a layer durable before it gets its name.
enum Durability {
  /// Up to as many files and directories are synced one by one, which waits for nobody else's data. Each costs a flush of the disk: ten
  /// thousand files take seconds to minutes that way, and a fraction of a second with syncfs.
  static let oneByOne = 64

  /// Writes manifest and marker beside the layer's files, and removes what only putting it together needed.
  static func write(_ manifest: LayerManifest, hasRoot: Bool, into path: String) throws {
    try Files.removeTree("\(path)/\(StagingDirectory.kept)")
    try Files.write(manifest.encoded(), to: "\(path)/\(LayerRecord.manifest)")
    if hasRoot { try Files.write([], to: "\(path)/\(LayerRecord.rootMarker)") }
  }

  /// Several layers at once: first what they hold and their names, then their records, which say that all of that is there.
  /// - Parameter directory: theirs.
  static func commit(_ layers: [(record: LayerRecord, path: String)], in directory: String) throws {
    let inodes = layers.reduce(0) { $0 + $1.record.usage.inodes }
    if inodes > oneByOne {
      try Directory.open(directory).handle.syncFilesystem()
    } else {
      for layer in layers { try sync(layer.path, try manifest(layer.path)) }
    }
    try Files.syncDirectory(directory)
    for layer in layers { try Files.write(JSONDocument.encode(layer.record), to: "\(layer.path)/\(LayerRecord.name)") }
    if layers.count > 4 { return try Directory.open(directory).handle.syncFilesystem() }
    for layer in layers {
      try Files.sync("\(layer.path)/\(LayerRecord.name)")
      try Files.syncDirectory(layer.path)
    }
  }

  private static func manifest(_ path: String) throws -> LayerManifest {
    try LayerManifest(decoding: try Files.read("\(path)/\(LayerRecord.manifest)", limit: 1 << 30))
  }

  /// All files and directories of one layer.
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
