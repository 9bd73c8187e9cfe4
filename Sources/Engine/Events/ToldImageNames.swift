import ContainerdAPI
import Core
import OCI
import SwiftProtobuf

/// Which names of a namespace's images are known to those who listen: for containerd each name is an image of its own.
struct ToldImageNames {
  enum Change: Hashable {
    case created(String)
    /// It means another image now.
    case updated(String)
    case deleted(String)
  }

  private var owners: [String: Digest] = [:]
  private var names: [Digest: Set<String>] = [:]

  var isEmpty: Bool { owners.isEmpty }

  /// What the record of image `id` says by now, sorted by name; a name that another image has taken is told by that one.
  /// - Parameter others: names that images have by now, this one's not among them.
  mutating func update(_ id: Digest, to record: ImageRecord?, isTaken others: (String) -> Bool) -> [Change] {
    let now = Set(record.map { $0.tags + $0.digests } ?? [])
    var changes: [Change] = []
    for name in (names[id] ?? []).subtracting(now).sorted() where owners[name] == id && !others(name) {
      owners[name] = nil
      changes.append(.deleted(name))
    }
    for name in now.sorted() where owners[name] != id {
      changes.append(owners[name] == nil ? .created(name) : .updated(name))
      owners[name] = id
    }
    names[id] = now.isEmpty ? nil : now
    return changes
  }
}

extension EventExchange {
  /// What containerd's CRI writes on each image.
  private static let labels = ["io.cri-containerd.image": "managed"]

  func tell(_ change: ToldImageNames.Change, in namespace: String) {
    let labels = namespace == ImageNamespaces.standard ? Self.labels : [:]
    switch change {
    case .created(let name):
      tell(
        "/images/create", in: namespace,
        Containerd_Services_Images_V1_ImageCreate.with { ($0.name, $0.labels) = (name, labels) })
    case .updated(let name):
      tell(
        "/images/update", in: namespace,
        Containerd_Services_Images_V1_ImageUpdate.with { ($0.name, $0.labels) = (name, labels) })
    case .deleted(let name):
      tell("/images/delete", in: namespace, Containerd_Services_Images_V1_ImageDelete.with { $0.name = name })
    }
  }

  /// A namespace is there as long as it has images, the CRI's always.
  func tellNamespace(_ name: String, wasThere: Bool, isThere: Bool) {
    if wasThere == isThere || name == ImageNamespaces.standard { return }
    if isThere {
      tell("/namespaces/create", in: name, Containerd_Events_NamespaceCreate.with { $0.name = name })
    } else {
      tell("/namespaces/delete", in: name, Containerd_Events_NamespaceDelete.with { $0.name = name })
    }
  }
}
