/// A version of the CNI specification.
struct CNIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
  let major: Int
  let minor: Int
  let patch: Int

  init(_ major: Int, _ minor: Int, _ patch: Int) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// Exactly three numbers with dots between.
  init?(_ text: String) {
    let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2], min(major, minor, patch) >= 0 else {
      return nil
    }
    self.init(major, minor, patch)
  }

  static let supported = [
    CNIVersion(0, 3, 0), CNIVersion(0, 3, 1), CNIVersion(0, 4, 0), CNIVersion(1, 0, 0), CNIVersion(1, 1, 0),
  ]

  /// CHECK, and prevResult at DEL, came with 0.4.0.
  var hasCheck: Bool { self >= CNIVersion(0, 4, 0) }
  /// STATUS and GC came with 1.1.0.
  var hasStatus: Bool { self >= CNIVersion(1, 1, 0) }
  /// Addresses of a result say their family up to 0.4.0.
  var namesFamily: Bool { self < CNIVersion(1, 0, 0) }

  var description: String { "\(major).\(minor).\(patch)" }

  static func < (one: Self, other: Self) -> Bool { (one.major, one.minor, one.patch) < (other.major, other.minor, other.patch) }
}
