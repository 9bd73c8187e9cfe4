/// An API as a flat list of statements, so that two ways of writing it down can be compared line by line.
///
/// Keys name a thing (`message Mount`, `Mount/3`, `enum Protocol`, `Protocol/UDP`, `RuntimeService.Version`), values say what it is.
struct Schema: Equatable {
  private(set) var statements: [String: String] = [:]

  subscript(key: String) -> String? {
    get { statements[key] }
    set { statements[key] = newValue }
  }

  /// How many statements' keys satisfy the condition.
  func count(where condition: (String) -> Bool) -> Int { statements.keys.count(where: condition) }

  /// One line for each statement in which this schema departs from `expected`, sorted.
  func differences(from expected: Schema) -> [String] {
    Set(statements.keys).union(expected.statements.keys).sorted().compactMap { key in
      switch (statements[key], expected.statements[key]) {
      case (let ours, let theirs) where ours == theirs: nil
      case (let ours?, let theirs?): "\(key): is '\(ours)', must be '\(theirs)'"
      case (let ours?, nil): "\(key): extra '\(ours)'"
      case (nil, let theirs): "\(key): missing '\(theirs ?? "")'"
      }
    }
  }
}
