/// One field of a header block: a lower-case name and its value.
package struct HeaderField: Hashable, Sendable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A header block in the order it is, or was, on the wire; pseudo-header fields come first.
package struct Headers: Hashable, Sendable {
  package private(set) var fields: [HeaderField]

  package init(_ fields: [HeaderField] = []) { self.fields = fields }

  package mutating func append(_ name: String, _ value: String) { fields.append(HeaderField(name, value)) }

  /// The first value under `name` (lower-case), if any.
  package subscript(_ name: String) -> String? {
    for field in fields where field.name == name { return field.value }
    return nil
  }
}

extension Headers: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, String)...) { self.init(elements.map { HeaderField($0.0, $0.1) }) }
}
