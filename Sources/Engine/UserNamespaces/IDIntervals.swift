import Linux

/// A set of user or group IDs: runs in order, none of which touches another.
struct IDIntervals: Hashable {
  private(set) var runs: [Range<Int>] = []

  init(_ ranges: [Range<Int>] = []) {
    for run in ranges.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = runs.last, last.upperBound >= run.lowerBound {
        runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
      } else {
        runs.append(run)
      }
    }
  }

  var count: Int { runs.reduce(0) { $0 + $1.count } }

  func subtracting(_ other: IDIntervals) -> IDIntervals {
    var left: [Range<Int>] = []
    for run in runs {
      var begin = run.lowerBound
      for hole in other.runs where hole.overlaps(run) {
        if hole.lowerBound > begin { left.append(begin..<hole.lowerBound) }
        begin = hole.upperBound
      }
      if begin < run.upperBound { left.append(begin..<run.upperBound) }
    }
    return IDIntervals(left)
  }

  /// The lowest; nil where there are fewer.
  func first(_ count: Int) -> IDIntervals? {
    var (missing, taken) = (count, [Range<Int>]())
    for run in runs where missing > 0 {
      taken.append(run.prefix(missing))
      missing -= taken[taken.count - 1].count
    }
    return missing == 0 ? IDIntervals(taken) : nil
  }

  /// Its IDs inside of a user namespace, in order, with those outside.
  func mapped(to outside: IDIntervals) -> [IDRange] {
    var (pairs, rest) = ([IDRange](), outside.runs[...])
    for run in runs {
      var inside = run
      while !inside.isEmpty, let hosts = rest.first {
        let count = min(inside.count, hosts.count)
        pairs.append(IDRange(inside: UInt32(inside.lowerBound), outside: UInt32(hosts.lowerBound), count: UInt32(count)))
        inside = inside.dropFirst(count)
        rest[rest.startIndex] = hosts.dropFirst(count)
        if rest[rest.startIndex].isEmpty { rest.removeFirst() }
      }
    }
    return pairs
  }
}

extension IDIntervals {
  init(inside ranges: [IDRange]) { self.init(ranges.map { Int($0.inside)..<Int($0.inside) + Int($0.count) }) }
  init(outside ranges: [IDRange]) { self.init(ranges.map { Int($0.outside)..<Int($0.outside) + Int($0.count) }) }
}

extension IDMaps {
  /// All that any of them maps.
  static func union(_ all: [IDMaps]) -> IDMaps { IDMaps(users: all.flatMap(\.users), groups: all.flatMap(\.groups)) }
}
