/// Parsing by the grammar of the distribution project (reference.go, regexp.go), with Docker Hub's short names made whole (normalize.go).
extension ImageReference {
  package static let defaultDomain = "docker.io"
  package static let defaultTag = "latest"
  package static let maximumPathLength = 255

  /// `busybox` → `docker.io/library/busybox:latest`; a name with a digest and no tag gets no tag.
  package init(parsing text: String) throws(ReferenceError) {
    guard !text.isEmpty else { throw ReferenceError(text, .empty) }
    let (named, digest) = try ImageReference.splitDigest(text)
    let (name, tag) = try ImageReference.splitTag(named, text)
    if name.utf8.count == 64, name.utf8.allSatisfy(\.isLowerHex) { throw ReferenceError(text, .bareIdentifier) }
    let (domain, path) = ImageReference.splitDomain(name)
    guard Grammar.isDomain(domain) else { throw ReferenceError(text, .invalidDomain(domain)) }
    try ImageReference.checkPath(path, text)
    self.init(domain: domain, path: path, tag: tag ?? (digest == nil ? ImageReference.defaultTag : nil), digest: digest)
  }

  private static func splitDigest(_ text: String) throws(ReferenceError) -> (String, Digest?) {
    guard let at = text.utf8.firstIndex(of: UInt8(ascii: "@")) else { return (text, nil) }
    let digestText = String(text[text.utf8.index(after: at)...])
    guard let digest = Digest(digestText) else { throw ReferenceError(text, .invalidDigest(digestText)) }
    return (String(text[..<at]), digest)
  }

  /// The tag is what follows a colon after the last slash; a colon before it belongs to the port.
  private static func splitTag(_ named: String, _ text: String) throws(ReferenceError) -> (String, String?) {
    let lastPart = named.utf8.lastIndex(of: UInt8(ascii: "/")).map { named.utf8.index(after: $0) } ?? named.startIndex
    guard let colon = named.utf8[lastPart...].firstIndex(of: UInt8(ascii: ":")) else { return (named, nil) }
    let tag = String(named[named.utf8.index(after: colon)...])
    guard Grammar.isTag(tag) else { throw ReferenceError(text, .invalidTag(tag)) }
    return (String(named[..<colon]), tag)
  }

  /// The first part is a host if it has a dot, a colon or an upper-case letter, or is `localhost`; otherwise the name is one of Docker Hub's.
  private static func splitDomain(_ name: String) -> (domain: String, path: String) {
    guard let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")) else { return (defaultDomain, "library/" + name) }
    let first = String(name[..<slash])
    let rest = String(name[name.utf8.index(after: slash)...])
    let isHost = first == "localhost" || first.utf8.contains { ".:".utf8.contains($0) || $0.isUpper }
    guard isHost else { return (defaultDomain, name) }
    let domain = first == "index.docker.io" ? defaultDomain : first
    let isShort = domain == defaultDomain && !rest.utf8.contains(UInt8(ascii: "/"))
    return (domain, isShort ? "library/" + rest : rest)
  }

  private static func checkPath(_ path: String, _ text: String) throws(ReferenceError) {
    if path.utf8.contains(where: \.isUpper) { throw ReferenceError(text, .upperCase) }
    guard path.utf8.count <= maximumPathLength else { throw ReferenceError(text, .pathTooLong(path.utf8.count)) }
    for part in path.split(separator: "/", omittingEmptySubsequences: false) where !Grammar.isPathPart(part.utf8) {
      throw ReferenceError(text, .invalidPath(String(part)))
    }
  }
}

/// The productions of the grammar, on bytes.
private enum Grammar {
  /// `[\w][\w.-]{0,127}`
  static func isTag(_ tag: String) -> Bool {
    guard let first = tag.utf8.first, tag.utf8.count <= 128, first.isWord else { return false }
    return tag.utf8.allSatisfy { $0.isWord || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
  }

  /// Runs of lower-case letters and digits with one of `.`, `_`, `__` or any number of `-` between them.
  static func isPathPart(_ part: Substring.UTF8View) -> Bool {
    guard let first = part.first, let last = part.last, first.isLowerAlphanumeric, last.isLowerAlphanumeric else { return false }
    let separators = part.split(whereSeparator: \.isLowerAlphanumeric)
    return separators.allSatisfy { run in
      run.elementsEqual(".".utf8) || run.elementsEqual("_".utf8) || run.elementsEqual("__".utf8)
        || run.allSatisfy { $0 == UInt8(ascii: "-") }
    }
  }

  /// Host name, IPv4 or bracketed IPv6, and an optional port.
  static func isDomain(_ domain: String) -> Bool {
    if domain.utf8.count > 255 { return false }
    let isBracketed = domain.utf8.first == UInt8(ascii: "[")
    let separator =
      isBracketed
      ? domain.utf8.firstIndex(of: UInt8(ascii: "]")).map { domain.utf8.index(after: $0) } : domain.utf8.firstIndex(of: UInt8(ascii: ":"))
    guard let end = separator else { return !isBracketed && isHostName(domain[...]) }
    let host = domain[..<end]
    let port = domain[end...]
    return (isBracketed ? isIPv6(host) : isHostName(host)) && (port.isEmpty || isPort(port))
  }

  private static func isHostName(_ host: Substring) -> Bool {
    host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      guard let first = label.utf8.first, let last = label.utf8.last else { return false }
      return first.isAlphanumeric && last.isAlphanumeric && label.utf8.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "-") }
    }
  }

  private static func isIPv6(_ host: Substring) -> Bool {
    let inner = host.dropFirst().dropLast()
    return !inner.isEmpty && inner.utf8.allSatisfy { $0.isHex || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
  }

  private static func isPort(_ port: Substring) -> Bool {
    guard port.utf8.first == UInt8(ascii: ":"), let number = UInt32(port.dropFirst()) else { return false }
    return (1...65535).contains(number) && port.dropFirst().utf8.allSatisfy(\.isDigit)
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
  fileprivate var isUpper: Bool { (0x41...0x5A).contains(self) }
  fileprivate var isLower: Bool { (0x61...0x7A).contains(self) }
  fileprivate var isLowerAlphanumeric: Bool { isDigit || isLower }
  fileprivate var isAlphanumeric: Bool { isLowerAlphanumeric || isUpper }
  fileprivate var isWord: Bool { isAlphanumeric || self == UInt8(ascii: "_") }
  fileprivate var isLowerHex: Bool { isDigit || (0x61...0x66).contains(self) }
  fileprivate var isHex: Bool { isLowerHex || (0x41...0x46).contains(self) }
}
