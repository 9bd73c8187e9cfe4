import Core

/// What is known of the layers on disk.
struct LayerTables {
  /// Durable, with their records.
  private(set) var committed: [LayerID: LayerRecord]
  /// At their final places, but without a record yet: gone after a restart.
  private(set) var placed: [LayerID: LayerRecord] = [:]

  init(committed: [LayerID: LayerRecord]) { self.committed = committed }

  subscript(_ id: LayerID) -> LayerRecord? { committed[id] ?? placed[id] }

  mutating func place(_ record: LayerRecord) { placed[record.id] = record }

  mutating func commit(_ record: LayerRecord) {
    placed[record.id] = nil
    committed[record.id] = record
  }

  mutating func remove(_ id: LayerID) {
    placed[id] = nil
    committed[id] = nil
  }
}
