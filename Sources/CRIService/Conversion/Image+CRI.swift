import CRIAPI
import Engine
import OCI
import SwiftProtobuf

extension ImageRecord {
  func criImage(isPinned: Bool) -> Runtime_V1_Image {
    .with {
      $0.id = id.description
      $0.repoTags = tags
      $0.repoDigests = digests
      $0.size = UInt64(clamping: size)
      $0.pinned = pinned || isPinned
      $0.spec = .with {
        $0.image = tags.first ?? digests.first ?? id.description
        $0.annotations = annotations ?? [:]
      }
      fillUser(&$0)
    }
  }

  /// The config's `user[:group]`: a number is the uid, anything else a name.
  private func fillUser(_ image: inout Runtime_V1_Image) {
    let name = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init) ?? ""
    if let uid = Int64(name), uid >= 0 {
      image.uid = .with { $0.value = uid }
    } else if !name.isEmpty {
      image.username = name
    } else {
      image.uid = .with { $0.value = 0 }
    }
  }
}
