import Linux

/// How much a test does: little in the usual run, as much as the programs in `hack/` ask for that work things for long.
package enum Load {
  /// A variable's number, or `usual`.
  package static func number(_ variable: String, usual: Int) -> Int {
    let prefix = variable + "="
    return ProcessEnvironment.strings.first { $0.hasPrefix(prefix) }.flatMap { Int($0.dropFirst(prefix.count)) } ?? usual
  }

  /// The seeds to go through: as many as BERTH_SEEDS says from BERTH_SEED on; two usually.
  package static func seeds(from usual: Int, _ count: Int = 2) -> [UInt64] {
    let first = number("BERTH_SEED", usual: usual)
    return (0..<max(1, number("BERTH_SEEDS", usual: count))).map { UInt64(first + $0) }
  }
}
