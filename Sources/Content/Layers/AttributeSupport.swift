import Core
import Linux

/// Which extended attributes the filesystem of the layers can carry. What it cannot is left out, as every other runtime does, and left out of the
/// layer's manifest with that; but never what gives or takes privileges.
struct AttributeSupport: ~Copyable {
  private struct Attribute: Hashable {
    let name: RawName
    let type: FileType
  }

  private static let probe: RawName = "probe"

  private let directory: Directory
  private var known: [Attribute: Bool] = [:]

  /// - Parameter directory: where something may be made for a moment, to try.
  init(trying directory: consuming Directory) { self.directory = directory }

  /// Of an entry's attributes, those that a file of this type can have here.
  mutating func carried(_ attributes: [RawName: [UInt8]], by type: FileType) throws -> [RawName: [UInt8]] {
    if attributes.isEmpty { return attributes }
    var result = attributes
    for (name, value) in attributes where try !carries(Attribute(name: name, type: type), value) { result[name] = nil }
    return result
  }

  private mutating func carries(_ attribute: Attribute, _ value: [UInt8]) throws -> Bool {
    if attribute.name == "security.capability" { return true }
    // Only files and directories can have them (xattr(7)).
    if attribute.name.bytes.starts(with: "user.".utf8), attribute.type != .regular, attribute.type != .directory { return false }
    if let answer = known[attribute] { return answer }
    let answer = try attempt(attribute, value)
    known[attribute] = answer
    return answer
  }

  /// Errors other than that it is not supported come again with the entry itself, which they then name.
  private func attempt(_ attribute: Attribute, _ value: [UInt8]) throws -> Bool {
    switch attribute.type {
    case .directory: try directory.makeDirectory(Self.probe)
    case .symlink: try directory.makeSymlink(Self.probe, to: Self.probe)
    case .regular: try directory.makeNode(Self.probe, .regular)
    default: try directory.makeNode(Self.probe, .fifo)
    }
    defer { try? directory.removeTree(Self.probe) }
    do { try directory.setAttribute(Self.probe, attribute.name, value) } catch { return !error.isUnsupported }
    return true
  }
}
