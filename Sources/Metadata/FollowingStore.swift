package import Core
import Linux
package import Logging
import Synchronization

/// The records of a node: what the pod path writes goes to a volatile store at once and to a durable one a moment later, off the caller's path;
/// the other kinds go to the durable store before a put returns.
///
/// The follower is level-triggered: only *which* keys changed is queued, and what they are is read when it is their turn. So a key that changes
/// often costs one write, a disk that is full costs no memory for records, and no error of the follower ever reaches a pod.
package final class FollowingStore: RecordStore {
  /// The kinds written to the volatile store and followed.
  package static let followedKinds: Set<RecordKind> = [.sandboxes, .containers]

  private let volatile: SQLiteStore
  private let durable: SQLiteStore
  private let writer: BackgroundWriter

  /// A volatile store that begins anew (a reboot, damage) gets what the durable one remembers; otherwise the durable one is brought up to date with it.
  /// `linger` is how long changes gather before they are written together.
  package init(volatile: SQLiteStore, durable: SQLiteStore, linger: Duration = .milliseconds(100), logger: Logger) throws {
    self.volatile = volatile
    self.durable = durable
    if volatile.isNew { try Self.remember(durable, in: volatile) }
    writer = try BackgroundWriter(from: volatile, to: durable, linger: linger, logger: logger)
    writer.enqueueAll()
  }

  /// Stops the writer after a last attempt to write what is queued.
  package func close() { writer.close() }

  package func put(_ kind: RecordKind, _ record: StoredRecord) throws {
    guard Self.followedKinds.contains(kind) else { return try durable.put(kind, record) }
    try volatile.put(kind, record)
    writer.enqueue(Change.Key(kind: kind, id: record.id))
  }

  package func delete(_ kind: RecordKind, id: String) throws {
    guard Self.followedKinds.contains(kind) else { return try durable.delete(kind, id: id) }
    try volatile.delete(kind, id: id)
    writer.enqueue(Change.Key(kind: kind, id: id))
  }

  package func load(_ kind: RecordKind) throws -> [StoredRecord] {
    try (Self.followedKinds.contains(kind) ? volatile : durable).load(kind)
  }

  /// Returns when everything put before is durable; throws what kept the follower from writing it (it goes on trying).
  package func flush() async throws { try await writer.flush() }

  /// Changes that are not durable yet.
  package var backlog: Int { writer.backlog }

  private static func remember(_ durable: SQLiteStore, in volatile: SQLiteStore) throws {
    var changes: [Change] = []
    for kind in followedKinds {
      let known = Set(try volatile.load(kind).map(\.id))
      for record in try durable.load(kind) where !known.contains(record.id) {
        changes.append(Change(key: Change.Key(kind: kind, id: record.id), json: record.json))
      }
    }
    try volatile.apply(changes)
  }
}
