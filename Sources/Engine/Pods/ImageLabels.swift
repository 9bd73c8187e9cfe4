import CRIAPI
import Logging
import OCI
import Synchronization

/// Labels that containers have from their images: containerd's own containers carry them beside the CRI's, whose labels stay as they were asked for.
package final class ImageLabels: Sendable {
  /// Bytes of a label's key and value together, as containerd has it.
  static let limit = 4096

  private let complaints = Mutex<Set<Digest>>([])

  package init() {}

  /// Those that are not too large. The others are named in the log, once for each image.
  func kept(_ labels: [String: String], of image: Digest, _ logger: Logger) -> [String: String] {
    let large = labels.filter { $0.key.utf8.count + $0.value.utf8.count > Self.limit }
    if large.isEmpty { return labels }
    if complaints.withLock({ $0.insert(image).inserted }) {
      let names = large.keys.sorted().map { "\"\($0.prefix(100))\"" }.joined(separator: ", ")
      logger.warning("image \(image): containers do not get its label \(names): more than \(Self.limit) bytes")
    }
    return labels.filter { large[$0.key] == nil }
  }
}

extension ContainerRecord {
  /// The container's labels as containerd has them: those of the image, those of the CRI, which come first, and what it is.
  package var labels: [String: String] {
    (imageLabels ?? [:]).merging(config.content.labels) { $1 }.merging(["io.cri-containerd.kind": "container"]) { $1 }
  }
}
