/// Points at content: its type, digest and size (OCI image spec, descriptor.md).
package struct Descriptor: Hashable, Sendable, Codable {
  package var mediaType: String
  package var digest: Digest
  /// Bytes.
  package var size: Int64
  package var urls: [String]?
  package var annotations: [String: String]?
  package var platform: Platform?
  /// What the artifact is that it points at, where it does.
  package var artifactType: String?

  /// 64 TiB. The sizes of all that a document has room for add up to less than an `Int64`.
  package static let largest: Int64 = 1 << 46

  package init(
    mediaType: String, digest: Digest, size: Int64, urls: [String]? = nil, annotations: [String: String]? = nil,
    platform: Platform? = nil
  ) {
    self.mediaType = mediaType
    self.digest = digest
    self.size = size
    self.urls = urls
    self.annotations = annotations
    self.platform = platform
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    mediaType = try values.decodeIfPresent(String.self, forKey: .mediaType) ?? ""
    digest = try values.decode(Digest.self, forKey: .digest)
    size = try values.decode(Int64.self, forKey: .size)
    urls = try values.decodeIfPresent([String].self, forKey: .urls)
    annotations = try values.decodeIfPresent([String: String].self, forKey: .annotations)
    platform = try values.decodeIfPresent(Platform.self, forKey: .platform)
    artifactType = try values.decodeIfPresent(String.self, forKey: .artifactType)
    guard (0...Self.largest).contains(size) else {
      throw DecodingError.dataCorruptedError(forKey: .size, in: values, debugDescription: "a size of \(size) bytes")
    }
  }

  package var kind: MediaType.Kind { MediaType.kind(of: mediaType) }
}
