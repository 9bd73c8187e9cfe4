import Core

/// What the ledger keeps one of for each sandbox or container.
package protocol LedgerRecord: Sendable {
  /// What it is, in error texts.
  static var noun: String { get }
  var id: String { get }
  /// Nanoseconds since 1970.
  var createdAt: Int64 { get }
}

/// The entries of one kind for as long as none of them changes; after a change there is another one.
package final class LedgerView<Record: LedgerRecord>: Sendable {
  /// Newest first.
  package let entries: [LedgerEntry<Record>]

  init(_ entries: some Sequence<LedgerEntry<Record>>) {
    self.entries = entries.sorted { ($0.record.createdAt, $0.record.id) > ($1.record.createdAt, $1.record.id) }
  }
}

/// The entries of one kind by ID.
struct LedgerTable<Record: LedgerRecord> {
  private var entries: [String: LedgerEntry<Record>] = [:]
  /// `nil` since the last change, until somebody asks.
  private var known: LedgerView<Record>?

  subscript(_ id: String) -> LedgerEntry<Record>? { entries[id] }

  /// Returns what was there before.
  mutating func set(_ record: Record) -> LedgerEntry<Record>? {
    known = nil
    return entries.updateValue(LedgerEntry(record), forKey: record.id)
  }

  mutating func remove(_ id: String) -> LedgerEntry<Record>? {
    known = nil
    return entries.removeValue(forKey: id)
  }

  mutating func view() -> LedgerView<Record> {
    if let known { return known }
    let view = LedgerView(entries.values)
    known = view
    return view
  }

  /// By full ID; NOT_FOUND.
  func get(_ id: String) throws(Fault) -> LedgerEntry<Record> {
    guard let entry = entries[id] else { throw Fault(.notFound, "\(Record.noun) \(id): not found") }
    return entry
  }

  /// By full ID or a prefix that fits only one; NOT_FOUND, or INVALID_ARGUMENT where several fit.
  func find(_ prefix: String) throws(Fault) -> LedgerEntry<Record> {
    guard !prefix.isEmpty else { throw Fault(.invalidArgument, "\(Record.noun): the ID is empty") }
    if let entry = entries[prefix] { return entry }
    let fitting = entries.filter { $0.key.hasPrefix(prefix) }
    let shown = "\(Record.noun) \(prefix.prefix(Identifier.length))"
    guard fitting.count <= 1 else { throw Fault(.invalidArgument, "\(shown): \(fitting.count) IDs begin like this") }
    guard let entry = fitting.first?.value else { throw Fault(.notFound, "\(shown): not found") }
    return entry
  }
}
