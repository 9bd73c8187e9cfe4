import OCI
import YAML

extension CDISpec {
  /// Throws why the file cannot be used, as words.
  /// - Parameter isYAML: JSON otherwise.
  static func parse(_ bytes: [UInt8], isYAML: Bool) throws(DocumentError) -> CDISpec {
    let spec = try CDITable.whole(try document(bytes, isYAML), "") { (table) throws(DocumentError) in try CDISpec(&table) }
    if let problem = spec.problem { throw DocumentError("CDI spec", problem) }
    return spec
  }

  private static func document(_ bytes: [UInt8], _ isYAML: Bool) throws(DocumentError) -> YAMLNode {
    guard isYAML else { return try JSONDocument.decode(JSONNode.self, from: bytes, as: "CDI spec", limit: 8 << 20).node }
    do throws(YAMLError) { return try YAMLDocument.parse(bytes) } catch { throw DocumentError("CDI spec", "\(error)") }
  }

  private init(_ table: inout CDITable) throws(DocumentError) {
    cdiVersion = try table.needed("cdiVersion")
    kind = try table.needed("kind")
    hasAnnotations = try table.hasTexts("annotations")
    devices = try table.tables("devices") { (table) throws(DocumentError) in try Device(&table) } ?? []
    containerEdits = try table.table("containerEdits") { (table) throws(DocumentError) in try Edits(&table) } ?? Edits()
  }
}

extension CDISpec.Device {
  fileprivate init(_ table: inout CDITable) throws(DocumentError) {
    name = try table.needed("name")
    hasAnnotations = try table.hasTexts("annotations")
    containerEdits = try table.table("containerEdits") { (table) throws(DocumentError) in try CDISpec.Edits(&table) } ?? CDISpec.Edits()
    if containerEdits.isEmpty { throw table.error("name", "\"\(name.prefix(100))\" has no containerEdits") }
  }
}

extension CDISpec.Edits {
  fileprivate init(_ table: inout CDITable) throws(DocumentError) {
    env = try table.texts("env") ?? []
    deviceNodes = try table.tables("deviceNodes") { (table) throws(DocumentError) in try CDISpec.DeviceNode(&table) } ?? []
    netDevices = try table.tables("netDevices") { (table) throws(DocumentError) in try CDISpec.NetDevice(&table) } ?? []
    mounts = try table.tables("mounts") { (table) throws(DocumentError) in try CDISpec.Mount(&table) } ?? []
    hooks = try table.tables("hooks") { (table) throws(DocumentError) in try CDISpec.Hook(&table) } ?? []
    additionalGids = try table.groups("additionalGids") ?? []
    intelRdt = try table.table("intelRdt") { (table) throws(DocumentError) in try CDISpec.IntelRDT(&table) }
  }
}

extension CDISpec.DeviceNode {
  fileprivate init(_ table: inout CDITable) throws(DocumentError) {
    path = try table.needed("path")
    hostPath = try table.text("hostPath")
    type = try table.text("type")
    major = try table.integer("major")
    minor = try table.integer("minor")
    fileMode = try table.integer("fileMode")
    permissions = try table.text("permissions")
    uid = try table.integer("uid")
    gid = try table.integer("gid")
  }
}

extension CDISpec.NetDevice {
  fileprivate init(_ table: inout CDITable) throws(DocumentError) {
    hostInterfaceName = try table.needed("hostInterfaceName")
    name = try table.needed("name")
  }
}

extension CDISpec.Mount {
  fileprivate init(_ table: inout CDITable) throws(DocumentError) {
    hostPath = try table.needed("hostPath")
    containerPath = try table.needed("containerPath")
    type = try table.text("type")
    options = try table.texts("options") ?? []
  }
}

extension CDISpec.Hook {
  fileprivate init(_ table: inout CDITable) throws(DocumentError) {
    hookName = try table.needed("hookName")
    path = try table.needed("path")
    args = try table.texts("args")
    env = try table.texts("env")
    timeout = try table.integer("timeout")
  }
}

extension CDISpec.IntelRDT {
  fileprivate init(_ table: inout CDITable) throws(DocumentError) {
    closID = try table.text("closID")
    l3CacheSchema = try table.text("l3CacheSchema")
    memBwSchema = try table.text("memBwSchema")
    schemata = try table.texts("schemata")
    enableMonitoring = try table.boolean("enableMonitoring")
    enableCMT = try table.boolean("enableCMT")
    enableMBM = try table.boolean("enableMBM")
  }
}

/// JSON in the form of a YAML text's values, which has no lines to name.
private struct JSONNode: Decodable {
  let node: YAMLNode

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    if let table = try? decoder.container(keyedBy: Key.self) {
      let entries = try table.allKeys.map { YAMLNode.Entry(key: $0.stringValue, value: try table.decode(JSONNode.self, forKey: $0).node) }
      node = YAMLNode(.table(entries))
      return
    }
    if var list = try? decoder.unkeyedContainer() {
      var items: [YAMLNode] = []
      while !list.isAtEnd { items.append(try list.decode(JSONNode.self).node) }
      node = YAMLNode(.list(items))
      return
    }
    let scalar = try decoder.singleValueContainer()
    if scalar.decodeNil() {
      node = YAMLNode(.scalar("null", isPlain: true))
    } else if let text = try? scalar.decode(String.self) {
      node = YAMLNode(.scalar(text, isPlain: false))
    } else if let boolean = try? scalar.decode(Bool.self) {
      node = YAMLNode(.scalar("\(boolean)", isPlain: true))
    } else if let number = try? scalar.decode(Int64.self) {
      node = YAMLNode(.scalar("\(number)", isPlain: true))
    } else {
      node = YAMLNode(.scalar("\(try scalar.decode(Double.self))", isPlain: true))
    }
  }
}
