import Core
import Linux
import OCI

/// `layer.json` beside a layer's files.
struct LayerRecord: Codable, Sendable {
  var version = 1
  var id: LayerID
  var diffID: Digest
  /// Serves any chain; otherwise only the one that `id` names.
  var shared: Bool
  var usage: DiskUsage

  static let name = "layer.json"
  static let manifest = "manifest"
  /// LayerLayout.rootMarker.
  static let rootMarker = "root"

  init(id: LayerID, diffID: Digest, shared: Bool, usage: DiskUsage) {
    self.id = id
    self.diffID = diffID
    self.shared = shared
    self.usage = usage
  }

  /// As it is on disk.
  init(of id: LayerID, root: String) throws {
    let bytes = try Files.read("\(LayerLayout.directory(root, id))/\(Self.name)", limit: 1 << 20)
    self = try JSONDocument.decode(LayerRecord.self, from: bytes, as: "layer record")
    guard self.id == id else { throw Fault(.dataLoss, "layer record: it is of \(self.id)") }
  }

  var info: LayerInfo { LayerInfo(id: id, diffID: diffID, usage: usage) }
}
