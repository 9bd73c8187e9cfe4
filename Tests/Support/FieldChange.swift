/// A field that differs from one message to another, and what it is in the other.
package struct FieldChange: CustomStringConvertible {
  package let path: FieldPath
  package let values: [WireField]

  package init(path: FieldPath, values: [WireField]) { (self.path, self.values) = (path, values) }

  package var description: String {
    "\(path) = "
      + values.map {
        $0.wireType == 0 ? "\($0.varint)" : "\"\(String(decoding: $0.content.prefix(60), as: UTF8.self))\" (\($0.content.count))"
      }
      .joined(separator: " and ")
  }
}

extension FieldPath {
  package var isMessage: Bool { if case .message = last.kind { true } else { false } }
}

extension CRIDefinitions {
  /// The deepest fields in which two messages of one type differ.
  package func changes(of message: String, from old: [UInt8], to new: [UInt8]) -> [FieldChange] {
    let (old, new) = (WireField.parse(old) ?? [], WireField.parse(new) ?? [])
    return (messages[message] ?? []).flatMap { field in changes(of: field, occurrences(field, old), occurrences(field, new)) }
  }

  private func changes(of field: Field, _ old: [WireField], _ new: [WireField]) -> [FieldChange] {
    if old == new { return [] }
    if case .message(let inner) = field.kind, old.count == new.count {
      let deeper = zip(old, new).flatMap { changes(of: inner, from: $0.content, to: $1.content) }
      if !deeper.isEmpty { return deeper.map { FieldChange(path: FieldPath(fields: [field] + $0.path.fields), values: $0.values) } }
    }
    return [FieldChange(path: FieldPath(fields: [field]), values: new.filter { !old.contains($0) })]
  }

  /// Entries of maps have no order.
  private func occurrences(_ field: Field, _ all: [WireField]) -> [WireField] {
    let own = all.filter { $0.number == field.number }
    return field.kind == .map ? own.sorted { $0.content.lexicographicallyPrecedes($1.content) } : own
  }
}
