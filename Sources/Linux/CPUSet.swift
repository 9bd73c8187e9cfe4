/// Processors by their numbers, as the kernel writes them: `0-3,8` (cpuset(7), "List format").
package struct CPUSet: Sendable, Hashable, CustomStringConvertible {
  package private(set) var members: Set<Int>

  /// More than any kernel has (CONFIG_NR_CPUS).
  private static let limit = 1 << 16

  package init(_ members: Set<Int> = []) { self.members = members }

  /// The empty text is no processor; nil for what is no list.
  package init?(_ text: some StringProtocol) {
    members = []
    var named = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: !text.contains(",")) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Self.number($0) }
      guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last, last < Self.limit else { return nil }
      // Each may be named more than once, but not without end.
      named += last - first + 1
      if named > 4 * Self.limit { return nil }
      members.formUnion(first...last)
    }
  }

  private static func number(_ text: some StringProtocol) -> Int? { text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil }

  package var isEmpty: Bool { members.isEmpty }
  package var count: Int { members.count }
  package var sorted: [Int] { members.sorted() }
  package var first: Int? { members.min() }

  package func union(_ other: CPUSet) -> CPUSet { CPUSet(members.union(other.members)) }
  package func intersection(_ other: CPUSet) -> CPUSet { CPUSet(members.intersection(other.members)) }
  package func subtracting(_ other: CPUSet) -> CPUSet { CPUSet(members.subtracting(other.members)) }

  package var description: String {
    var ranges: [(first: Int, last: Int)] = []
    for number in sorted {
      if let last = ranges.last, last.last + 1 == number { ranges[ranges.count - 1].last = number } else { ranges.append((number, number)) }
    }
    return ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
  }
}
