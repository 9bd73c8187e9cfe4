import Core

/// A network as its configuration describes it: a chain of plugins under one name.
struct NetworkList: Sendable, Equatable {
  struct Plugin: Sendable, Equatable {
    /// The name of its binary.
    let type: String
    /// Its part of the configuration, as it was written.
    let configuration: JSON
    /// The keys of `runtimeConfig` that it wants.
    let capabilities: [String]
  }

  /// Why a configuration cannot be used.
  struct Invalid: Error, Equatable, CustomStringConvertible {
    let reason: String
    var description: String { reason }
  }

  let name: String
  let version: CNIVersion
  var disableCheck = false
  var disableGC = false
  var plugins: [Plugin]

  /// A list; `additional` are plugins from other files, which come after those written in it.
  init(_ json: JSON, additional: [JSON] = []) throws(Invalid) {
    guard json.members != nil else { throw Invalid(reason: "not a JSON object") }
    name = try Self.name(json)
    version = try Self.version(json)
    disableCheck = try Self.flag(json, "disableCheck")
    disableGC = try Self.flag(json, "disableGC")
    var plugins: [Plugin] = []
    for plugin in try Self.inlined(json) + additional { plugins.append(try Plugin(plugin)) }
    guard !plugins.isEmpty else { throw Invalid(reason: "no plugins") }
    self.plugins = plugins
  }

  /// A single plugin's configuration, as a list of one.
  init(single json: JSON) throws(Invalid) {
    var list: JSON = ["plugins": .array([json])]
    for key in ["name", "cniVersion"] { if let value = json[key] { list = list.setting(key, value) } }
    try self.init(list)
  }

  /// The list whole, so that it can be read again when the directory says something else.
  var json: JSON {
    [
      "name": .string(name), "cniVersion": .string(version.description), "disableCheck": .bool(disableCheck),
      "disableGC": .bool(disableGC), "plugins": .array(plugins.map(\.configuration)),
    ]
  }

  private static func name(_ json: JSON) throws(Invalid) -> String {
    guard let name = json["name"]?.string, !name.isEmpty else { throw Invalid(reason: "name is missing") }
    guard Names.isValid(name) else { throw Invalid(reason: "name \"\(name)\" has characters that are not allowed") }
    return name
  }

  /// The highest of `cniVersions` that is known here, or `cniVersion`.
  private static func version(_ json: JSON) throws(Invalid) -> CNIVersion {
    var texts = json["cniVersions"]?.array?.compactMap(\.string) ?? []
    if let text = json["cniVersion"]?.string { texts.append(text) }
    guard !texts.isEmpty else { throw Invalid(reason: "cniVersion is missing") }
    guard let version = texts.compactMap({ CNIVersion($0) }).filter(CNIVersion.supported.contains).max() else {
      let known = CNIVersion.supported.map(\.description).joined(separator: ", ")
      throw Invalid(reason: "cniVersion \(texts.joined(separator: ", ")) is not supported (known: \(known))")
    }
    return version
  }

  private static func flag(_ json: JSON, _ key: String) throws(Invalid) -> Bool {
    switch json[key] {
    case nil: return false
    case .bool(let flag): return flag
    case .string(let text) where text.lowercased() == "true": return true
    case .string(let text) where text.lowercased() == "false": return false
    default: throw Invalid(reason: "\(key) is neither true nor false")
    }
  }

  private static func inlined(_ json: JSON) throws(Invalid) -> [JSON] {
    guard let plugins = json["plugins"] else { return [] }
    guard let list = plugins.array else { throw Invalid(reason: "plugins is not a list") }
    return list
  }
}

extension NetworkList.Plugin {
  init(_ json: JSON) throws(NetworkList.Invalid) {
    guard let type = json["type"]?.string, !type.isEmpty else { throw NetworkList.Invalid(reason: "a plugin without type") }
    guard !type.contains("/"), type != ".", type != ".." else { throw NetworkList.Invalid(reason: "plugin type \"\(type)\" is a path") }
    self.type = type
    configuration = json
    capabilities = (json["capabilities"]?.members ?? []).filter { $0.value == true }.map(\.key)
  }
}

/// Names that go into file names and plugin arguments (CNI specification, "Network configuration" and CNI_CONTAINERID).
enum Names {
  /// A letter or digit, then letters, digits, `_`, `.` and `-`.
  static func isValid(_ name: String) -> Bool {
    guard let first = name.utf8.first, isAlphanumeric(first) else { return false }
    return name.utf8.allSatisfy { isAlphanumeric($0) || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")].contains($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
  }
}
