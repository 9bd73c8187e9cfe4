/// The names that containerd's services take for namespaces, topics and the like.
package enum ContainerdNames {
  /// Letters and digits, with `-`, `_` and `.` between them, 76 at most.
  package static func isIdentifier(_ text: some StringProtocol) -> Bool {
    let words = text.split(omittingEmptySubsequences: false) { "-_.".contains($0) }
    let isPlain = words.allSatisfy { word in
      !word.isEmpty && word.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) }
    }
    return isPlain && text.utf8.count <= 76
  }

  /// INVALID_ARGUMENT for what cannot be the name of a namespace.
  package static func check(namespace name: String) throws(Fault) {
    guard isIdentifier(name) else { throw Fault(.invalidArgument, "\"\(name.prefix(100))\" cannot be the name of a namespace") }
  }

  /// Identifiers behind a slash each. INVALID_ARGUMENT for what is no topic.
  package static func check(topic: String) throws(Fault) {
    let shown = "topic \"\(topic.prefix(100))\""
    guard !topic.isEmpty else { throw Fault(.invalidArgument, "topic: must not be empty") }
    guard topic.hasPrefix("/") else { throw Fault(.invalidArgument, "\(shown): must begin with \"/\"") }
    for part in topic.dropFirst().split(separator: "/", omittingEmptySubsequences: false) where !isIdentifier(part) {
      throw Fault(.invalidArgument, "\(shown): \"\(part.prefix(100))\" cannot be a part of a topic")
    }
  }
}
