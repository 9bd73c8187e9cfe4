import CRIAPI
package import Core
package import Linux

/// What the annotation `userns-mode.crio.io` asks for, as CRI-O reads it: `MODE[:KEY=VALUE[;KEY=VALUE]…]`.
package struct UserNamespaceMode: Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable {
    /// Host IDs that no other pod has, of those that the node keeps for pods (`size`, default 65536); others besides (`uidmapping`, `gidmapping`).
    case auto
    /// The ranges it names, or the node's.
    case `private`
    /// None, whatever the node gives to pods that say nothing.
    case host
  }

  package private(set) var kind: Kind
  /// Container IDs from 0 that host IDs are found for.
  package private(set) var size: UInt32 = 65_536
  package private(set) var users: [IDRange] = []
  package private(set) var groups: [IDRange] = []
  /// The pod's user and groups are those of the host.
  package private(set) var keepsIDs = false
  /// The pod's user and group of the host are root inside.
  package private(set) var mapsToRoot = false

  package var namesRanges: Bool { !users.isEmpty || !groups.isEmpty }
  /// Any user namespace will do.
  package var isModest: Bool { kind != .host && !namesRanges && !keepsIDs && !mapsToRoot }

  /// INVALID_ARGUMENT for what means nothing.
  package init(_ text: String) throws(Fault) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let kind = Kind(rawValue: String(parts[0])) else {
      let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw Self.refuse("there is no mode \"\(parts[0].prefix(100))\" (there are: \(known))")
    }
    self.kind = kind
    for option in parts.dropFirst().joined().split(separator: ";") { try take(option) }
    if keepsIDs, mapsToRoot { throw Self.refuse("keep-id and map-to-root exclude each other") }
  }

  private mutating func take(_ option: Substring) throws(Fault) {
    let pair = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard pair.count == 2 else { throw Self.refuse("\"\(option.prefix(100))\" is not KEY=VALUE") }
    switch (pair[0], kind) {
    case ("uidmapping", .auto), ("uidmapping", .private): users = try Self.ranges(pair[1], Self.field + " uidmapping")
    case ("gidmapping", .auto), ("gidmapping", .private): groups = try Self.ranges(pair[1], Self.field + " gidmapping")
    case ("keep-id", .auto): keepsIDs = try Self.flag(pair)
    case ("map-to-root", .auto): mapsToRoot = try Self.flag(pair)
    case ("size", .auto):
      guard let number = UInt32(pair[1]), number > 0 else { throw Self.refuse("size: \"\(pair[1].prefix(100))\" is no number of IDs") }
      size = number
    default: throw Self.refuse("\"\(pair[0].prefix(100))\" is no option of \(kind.rawValue)")
    }
  }

  private static func flag(_ pair: [String]) throws(Fault) -> Bool {
    guard let value = Bool(pair[1]) else { throw refuse("\(pair[0]): \"\(pair[1].prefix(100))\" is neither true nor false") }
    return value
  }

  private static let field = ExperimentalAnnotation.usernsMode.field

  private static func refuse(_ problem: String) -> Fault { Fault(.invalidArgument, "\(field): \(problem)") }
}

extension UserNamespaceMode {
  /// `CONTAINER:HOST:SIZE,…`. INVALID_ARGUMENT for other texts, and for ranges that overlap.
  package static func ranges(_ text: String, _ field: String) throws(Fault) -> [IDRange] {
    var ranges: [IDRange] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let numbers = part.split(separator: ":", omittingEmptySubsequences: false).map { UInt32($0) }
      guard numbers.count == 3, let inside = numbers[0], let outside = numbers[1], let count = numbers[2] else {
        throw Fault(.invalidArgument, "\(field): \"\(part.prefix(100))\" is not CONTAINER:HOST:SIZE")
      }
      ranges.append(IDRange(inside: inside, outside: outside, count: count))
    }
    try check(ranges, field)
    return ranges
  }

  package static func check(_ ranges: [IDRange], _ field: String) throws(Fault) {
    let mappings = ranges.map { range in
      var mapping = Runtime_V1_IDMapping()
      (mapping.containerID, mapping.hostID, mapping.length) = (range.inside, range.outside, range.count)
      return mapping
    }
    try Validation.checkMappings(mappings, field)
  }
}

extension IDMaps {
  /// INVALID_ARGUMENT for a user namespace without a root.
  package func checkRoot(_ field: String) throws(Fault) {
    guard user(0) != nil, group(0) != nil else { throw Fault(.invalidArgument, "\(field): nothing maps container ID 0") }
  }
}
