import Core

/// The head of an HTTP/1.1 request (RFC 9112 section 3), as far as a protocol upgrade needs it.
struct RequestHead: Hashable, Sendable {
  struct Field: Hashable, Sendable {
    /// In lower case.
    let name: String
    /// Without white space around it.
    let value: String
  }

  let method: String
  /// In origin form: `/exec/TOKEN?query`.
  let target: String
  let fields: [Field]

  var path: Substring { target.prefix { $0 != "?" } }

  /// All values of the fields of this (lower-case) name, lists taken apart at their commas (RFC 9110 section 5.6.1), in order.
  func values(_ name: String) -> [String] {
    fields.filter { $0.name == name }.flatMap { field in
      field.value.split(separator: ",").map { String($0.trimmed) }.filter { !$0.isEmpty }
    }
  }

  /// Whether one of the values is this one, letter case aside.
  func has(_ name: String, _ value: String) -> Bool { values(name).contains { $0.lowercased() == value.lowercased() } }
}
