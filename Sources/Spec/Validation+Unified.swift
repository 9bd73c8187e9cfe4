import Core

/// Files of cgroup v2 by their names (Documentation/admin-guide/cgroup-v2.rst).
extension Validation {
  /// Of the core's own files those that limit something: others move processes about, stop or kill them.
  private static let coreLimits: Set = ["cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure"]
  private static let amounts: Set = ["min", "low", "high", "max"]

  static func checkUnified(_ files: [String: String], _ field: String) throws(Fault) {
    for key in files.keys.sorted() {
      let entry = "\(field)[\"\(key.prefix(100))\"]"
      let value = files[key] ?? ""
      try checkText(value, entry)
      if key.isEmpty || key.contains("/") || !key.contains(".") { throw refuse(entry, "is no cgroup file") }
      if key.hasPrefix("cgroup."), !coreLimits.contains(key) { throw refuse(entry, "is no limit") }
      if value.isEmpty { throw refuse(entry, "is empty") }
      if takesAmount(key), !isAmount(value) { throw refuse(entry, "\"\(value.prefix(100))\" is no number of bytes, and not max") }
    }
  }

  /// memory.high, memory.swap.max, hugetlb.2MB.max, but not memory.zswap.writeback.
  private static func takesAmount(_ key: String) -> Bool {
    let parts = key.split(separator: ".").map(String.init)
    guard let last = parts.last, amounts.contains(last) else { return false }
    return parts[0] == "memory" || parts[0] == "hugetlb"
  }

  /// As the kernel's memparse takes it: decimal, octal or hexadecimal, and a unit.
  private static func isAmount(_ value: String) -> Bool {
    var text = Substring(value).drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    if text == "max" { return true }
    if let unit = text.last, "KMGTPEkmgtpe".contains(unit), !text.hasPrefix("0x") { text.removeLast() }
    if text.hasPrefix("0x") { return UInt64(text.dropFirst(2), radix: 16) != nil }
    return text.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt64(text) != nil
  }
}
