/// A content address: `algorithm:hex` (OCI image spec, descriptor.md "Digests"). Only sha256 and sha512 are registered.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
  package enum Algorithm: String, Sendable {
    case sha256, sha512
    /// Length of the digest in hexadecimal digits.
    package var hexLength: Int { self == .sha256 ? 64 : 128 }
  }

  package let algorithm: Algorithm
  /// Lower-case hexadecimal digits.
  package let hex: String

  init(algorithm: Algorithm, hex: String) {
    self.algorithm = algorithm
    self.hex = hex
  }

  /// `nil` where `text` is not a well-formed digest of a registered algorithm.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let algorithm = Algorithm(rawValue: String(parts[0])), parts[1].utf8.count == algorithm.hexLength,
      parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    self.algorithm = algorithm
    self.hex = String(parts[1])
  }

  package var description: String { "\(algorithm.rawValue):\(hex)" }
}

extension Digest: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let digest = Digest(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a digest: \(text.prefix(100))")
    }
    self = digest
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
