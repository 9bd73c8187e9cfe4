extension StringProtocol {
  /// Without the spaces and tabs around it, which mean nothing in lists of HTTP and its like (RFC 9110, section 5.6.3).
  package var trimmed: SubSequence {
    let start = drop { $0 == " " || $0 == "\t" }
    guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return self[endIndex...] }
    return self[start.startIndex...end]
  }
}
