import FoundationEssentials
package import OCI

/// A runtime spec that an operator wrote (`base_runtime_spec`, as for containerd) for what the CRI cannot say: limits of processes (rlimits),
/// hooks, mounts, sysctls, devices, cgroup limits, annotations, environment. What the CRI says always wins.
package struct BaseSpec: Sendable, Hashable {
  var content: Content

  /// The members that count. Those in ``decidedByCRI`` may be there, as `runc spec` writes them, and mean nothing; any other is an error.
  struct Content: Sendable, Hashable, Codable {
    struct Process: Sendable, Hashable, Codable {
      var env: [String]?
      var rlimits: [RuntimeSpec.Rlimit]?
    }

    struct Linux: Sendable, Hashable, Codable {
      var sysctl: [String: String]?
      var devices: [RuntimeSpec.Device]?
      var resources: RuntimeSpec.Resources?
    }

    var process: Process?
    var mounts: [RuntimeSpec.Mount]?
    var hooks: RuntimeSpec.Hooks?
    var annotations: [String: String]?
    var linux: Linux?
  }

  private static let decidedByCRI: Set = [
    "ociVersion", "root", "hostname", "process.terminal", "process.consoleSize", "process.user", "process.args", "process.cwd",
    "process.capabilities", "process.noNewPrivileges", "process.oomScoreAdj", "linux.namespaces", "linux.uidMappings", "linux.gidMappings",
    "linux.cgroupsPath", "linux.rootfsPropagation", "linux.maskedPaths", "linux.readonlyPaths",
  ]

  /// Throws what is wrong with the file, as words.
  package static func parse(_ bytes: [UInt8]) throws(DocumentError) -> BaseSpec {
    let content = try JSONDocument.decode(Content.self, from: bytes, as: "base_runtime_spec")
    let given = try JSONDocument.decode(MemberNames.self, from: bytes, as: "base_runtime_spec").paths
    let known = try JSONDocument.decode(MemberNames.self, from: JSONDocument.encode(content), as: "base_runtime_spec").paths
    let unknown = given.subtracting(known).filter { path in !decidedByCRI.contains { path == $0 || path.hasPrefix($0 + ".") } }
    if let first = unknown.min() { throw DocumentError("base_runtime_spec", "\(first) cannot be given here") }
    for mount in content.mounts ?? [] where !mount.destination.hasPrefix("/") {
      throw DocumentError("base_runtime_spec", "mounts: \"\(mount.destination.prefix(200))\" is not absolute")
    }
    return BaseSpec(content: content)
  }
}

/// The paths of a JSON document's members, `linux.resources.pids`; those of a list's elements have no index. Null is no member.
private struct MemberNames: Decodable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var paths: Set<String> = []

  init(from decoder: any Decoder) throws {
    if let table = try? decoder.container(keyedBy: Key.self) {
      for key in table.allKeys where try !table.decodeNil(forKey: key) {
        paths.insert(key.stringValue)
        paths.formUnion(try table.decode(MemberNames.self, forKey: key).paths.map { key.stringValue + "." + $0 })
      }
    } else if var list = try? decoder.unkeyedContainer() {
      while !list.isAtEnd { paths.formUnion(try list.decode(MemberNames.self).paths) }
    }
  }
}
