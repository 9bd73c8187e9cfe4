import Core
import Linux
import OCI

/// Makes a layer durable before it gets its name.
enum Durability {
  /// Writes manifest, record and markers beside the layer's files, and removes what only putting it together needed.
  static func write(_ manifest: LayerManifest, _ record: LayerRecord, hasRoot: Bool, into path: String) throws {
    try Files.removeTree("\(path)/\(StagingDirectory.kept)")
    try Files.write(manifest.encoded(), to: "\(path)/\(LayerRecord.manifest)")
    try Files.write(JSONDocument.encode(record), to: "\(path)/\(LayerRecord.name)")
    if hasRoot { try Files.write([], to: "\(path)/root") }
  }

  static func sync(_ path: String, _ manifest: LayerManifest) throws {
    let directory = try Directory.open(path)
    try directory.handle.syncFilesystem()
  }
}
