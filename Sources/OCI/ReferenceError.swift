/// Why a text is no image reference.
package struct ReferenceError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Reason: Hashable, Sendable {
    case empty
    case upperCase
    case bareIdentifier
    case invalidDomain(String)
    case invalidPath(String)
    case pathTooLong(Int)
    case invalidTag(String)
    case invalidDigest(String)
  }

  package let text: String
  package let reason: Reason

  package init(_ text: String, _ reason: Reason) {
    self.text = text
    self.reason = reason
  }

  package var description: String { "invalid image reference \"\(text.prefix(300))\": \(explanation)" }

  private var explanation: String {
    switch reason {
    case .empty: "it is empty"
    case .upperCase: "the repository name must be lower-case"
    case .bareIdentifier: "64 hexadecimal digits are an image ID, not a repository name"
    case .invalidDomain(let domain): "\"\(domain.prefix(100))\" is no registry host"
    case .invalidPath(let part):
      part.isEmpty
        ? "the repository name has an empty part"
        : "\"\(part.prefix(100))\" is no repository name part (lower-case letters and digits, separated by '.', '_', '__' or '-')"
    case .pathTooLong(let length): "the repository name has \(length) characters, at most \(ImageReference.maximumPathLength) are allowed"
    case .invalidTag(let tag):
      "\"\(tag.prefix(150))\" is no tag (at most 128 letters, digits, '_', '.' and '-', not beginning with '.' or '-')"
    case .invalidDigest(let digest):
      "\"\(digest.prefix(150))\" is no digest (sha256: and 64, or sha512: and 128 lower-case hexadecimal digits)"
    }
  }
}
