import FoundationEssentials

/// Why a manifest, index or configuration cannot be used.
package struct DocumentError: Error, Hashable, Sendable, CustomStringConvertible {
  /// `manifest`, `index`, `image configuration`.
  package let document: String
  package let reason: String

  package init(_ document: String, _ reason: String) {
    self.document = document
    self.reason = reason
  }

  package var description: String { "\(document): \(reason)" }
}

/// JSON in and out: bounded, with errors that name the field; keys come out sorted, so equal values are equal bytes.
package enum JSONDocument {
  /// Registries need not store manifests above 4 MiB (OCI distribution spec); configurations are a little larger at times.
  package static let maximumSize = 8 << 20

  package static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8], as document: String, limit: Int = maximumSize)
    throws(DocumentError) -> T
  {
    guard bytes.count <= limit else { throw DocumentError(document, "\(bytes.count) bytes, at most \(limit) are allowed") }
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let error as DecodingError {
      throw DocumentError(document, explain(error))
    } catch {
      throw DocumentError(document, String(describing: error))
    }
  }

  package static func encode(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return try Array(encoder.encode(value))
    } catch {
      preconditionFailure("a value of ours does not encode: \(error)")
    }
  }

  private static func explain(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, let context): "\(path(context.codingPath + [key])) is missing"
    case .typeMismatch(let type, let context): "\(path(context.codingPath)) is not of type \(type)"
    case .valueNotFound(let type, let context): "\(path(context.codingPath)) is null, not of type \(type)"
    case .dataCorrupted(let context):
      context.codingPath.isEmpty
        ? "not valid JSON: \(context.debugDescription)" : "\(path(context.codingPath)): \(context.debugDescription)"
    @unknown default: String(describing: error)
    }
  }

  /// `layers[2].digest`.
  private static func path(_ keys: [any CodingKey]) -> String {
    let text = keys.reduce(into: "") { text, key in
      if let index = key.intValue { text += "[\(index)]" } else { text += (text.isEmpty ? "" : ".") + key.stringValue }
    }
    return text.isEmpty ? "the document" : text
  }
}
