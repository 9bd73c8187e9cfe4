/// The keys that leave a session: looked for in what is typed, held back until it is clear that they are not meant.
struct DetachKeys: Equatable, Sendable {
  /// As typed; empty for none.
  let keys: [UInt8]
  private var seen = 0

  static let standard = DetachKeys(keys: [16, 17])

  private init(keys: [UInt8]) { self.keys = keys }

  /// `ctrl-p,ctrl-q`: single characters, and letters with ctrl; empty text for none. Nil for anything else.
  init?(_ text: String) {
    guard !text.isEmpty else {
      self.init(keys: [])
      return
    }
    let keys = text.split(separator: ",", omittingEmptySubsequences: false).map(Self.key)
    guard keys.allSatisfy({ $0 != nil }) else { return nil }
    self.init(keys: keys.compactMap { $0 })
  }

  private static func key(_ name: Substring) -> UInt8? {
    if name.utf8.count == 1 { return name.utf8.first }
    guard name.lowercased().hasPrefix("ctrl-"), name.utf8.count == 6, let last = name.uppercased().utf8.last,
      (UInt8(ascii: "@")...UInt8(ascii: "_")).contains(last)
    else { return nil }
    return last & 0x1F
  }

  /// What is to be passed on, and whether the keys were typed: what follows them is nobody's.
  mutating func filter(_ typed: some Sequence<UInt8>) -> (passed: [UInt8], isDetached: Bool) {
    guard !keys.isEmpty else { return (Array(typed), false) }
    var passed: [UInt8] = []
    for byte in typed {
      if byte != keys[seen] {
        passed += keys[..<seen]
        seen = 0
      }
      guard byte == keys[seen] else {
        passed.append(byte)
        continue
      }
      seen += 1
      if seen == keys.count { return (passed, true) }
    }
    return (passed, false)
  }
}
