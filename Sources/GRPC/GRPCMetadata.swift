import HTTP2

/// What a caller says besides its message: names in lower case, printable values. A name may come more than once.
/// Values of names that end in `-bin` are base64, as they are on the wire.
package struct GRPCMetadata: Sendable, Hashable {
  private var fields: [HeaderField]

  package init() { fields = [] }

  /// The fields of a request that are the caller's own: neither pseudo-header fields nor those of the protocol.
  init(_ headers: Headers) {
    fields = headers.fields.filter { !Self.isReserved($0.name) }
  }

  /// The first value under `name` (lower-case).
  package subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  package func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

  package mutating func add(_ name: String, _ value: String) { fields.append(HeaderField(name.lowercased(), value)) }

  /// Adds the fields to a request; INVALID_ARGUMENT where one could not be sent as it is.
  func append(to headers: inout Headers) throws(GRPCStatus) {
    for field in fields {
      guard !Self.isReserved(field.name), Self.isSendable(field) else {
        throw GRPCStatus(.invalidArgument, "metadata \"\(field.name)\" cannot be sent")
      }
      headers.append(field.name, field.value)
    }
  }

  private static func isSendable(_ field: HeaderField) -> Bool {
    let name = field.name.utf8.allSatisfy { octet in
      octet >= UInt8(ascii: "a") && octet <= UInt8(ascii: "z") || octet >= UInt8(ascii: "0") && octet <= UInt8(ascii: "9")
        || "-_.".utf8.contains(octet)
    }
    let value = field.value.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7e }
    return name && value && !field.name.isEmpty && field.value.first != " " && field.value.last != " "
  }

  private static func isReserved(_ name: String) -> Bool {
    name.hasPrefix(":") || name.hasPrefix("grpc-") || name == "content-type" || name == "te"
  }
}

extension GRPCMetadata: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { HeaderField($0.0.lowercased(), $0.1) }
  }
}
