import Core

/// The statements on a kind's table; table names are fixed words, never input.
extension RecordKind {
  var putting: String { "INSERT INTO \(rawValue)(id, record) VALUES (?1, ?2) ON CONFLICT(id) DO UPDATE SET record = excluded.record" }
  var deleting: String { "DELETE FROM \(rawValue) WHERE id = ?1" }
  var getting: String { "SELECT record FROM \(rawValue) WHERE id = ?1" }
  /// In the order of their making; the flag says whether the record is still JSON.
  var loading: String { "SELECT id, record, json_valid(record) FROM \(rawValue) ORDER BY rowid" }
}
