import Core
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

  init(id: LayerID, diffID: Digest, shared: Bool, usage: DiskUsage) {
    self.id = id
    self.diffID = diffID
    self.shared = shared
    self.usage = usage
  }

  var info: LayerInfo { LayerInfo(id: id, diffID: diffID, usage: usage) }
}
