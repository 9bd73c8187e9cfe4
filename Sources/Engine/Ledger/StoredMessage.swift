package import SwiftProtobuf

/// A protobuf message inside a JSON record, in protobuf's own JSON form, so that `sqlite3` and people can read it.
package struct StoredMessage<Content: Message & Hashable & Sendable>: Hashable, Sendable, Codable {
  package var content: Content

  package init(_ content: Content) { self.content = content }

  package init(from decoder: any Swift.Decoder) throws {
    // A newer daemon may have written fields that this one does not know.
    var options = JSONDecodingOptions()
    options.ignoreUnknownFields = true
    content = try Content(jsonString: decoder.singleValueContainer().decode(String.self), options: options)
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(content.jsonString())
  }
}
