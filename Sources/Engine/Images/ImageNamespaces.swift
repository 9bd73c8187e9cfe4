package import Core
package import Logging
import OCI
import Synchronization

/// Images by namespace, as containerd has them: each namespace has names of its own, all share documents and layers. The CRI's is ``standard``.
package final class ImageNamespaces: Sendable {
  package static let standard = "k8s.io"

  /// Of ``standard``.
  package let main: ImageIndex
  private let others = Mutex<[String: ImageIndex]>([:])
  private let store: any RecordStore
  private let exchange: EventExchange
  private let logger: Logger

  package init(store: any RecordStore, exchange: EventExchange = EventExchange(), logger: Logger) {
    self.store = store
    self.exchange = exchange
    self.logger = logger
    main = ImageIndex(store: store, exchange: exchange, logger: logger)
  }

  /// As ``ImageIndex/load(_:)``, for all that have images.
  package func load(_ isWhole: (ImageRecord) -> Bool) throws {
    try main.load(isWhole)
    for name in Set(try store.load(.images).map { Self.namespace(ofRecord: $0.id) }) where name != Self.standard {
      guard let index = try? index(name) else { continue }
      try index.load(isWhole)
    }
  }

  /// One that nobody knew so far is empty. INVALID_ARGUMENT for what cannot be a name.
  package func index(_ name: String) throws(Fault) -> ImageIndex {
    try ContainerdNames.check(namespace: name)
    if name == Self.standard { return main }
    return others.withLock { others in
      if let known = others[name] { return known }
      let made = ImageIndex(store: store, namespace: name, exchange: exchange, logger: logger)
      others[name] = made
      return made
    }
  }

  /// Of all namespaces.
  func list() -> [ImageRecord] { main.list() + others.withLock { Array($0.values) }.flatMap { $0.list() } }

  /// Those that have images, and how many.
  package func counts() -> [(name: String, images: Int)] {
    let all = [main] + others.withLock { Array($0.values) }
    return all.map { ($0.namespace, $0.list().count) }.filter { $0.1 > 0 }.sorted { $0.0 < $1.0 }
  }

  /// `sha256:…` in the standard namespace, `<namespace>/sha256:…` in another.
  static func record(of id: Digest, in namespace: String) -> String { namespace == standard ? "\(id)" : "\(namespace)/\(id)" }

  static func namespace(ofRecord id: String) -> String { id.firstIndex(of: "/").map { String(id[..<$0]) } ?? standard }
}
