import Core
import FoundationEssentials
package import OCI

/// A runtime spec that an operator wrote (`base_runtime_spec`, as for containerd) for what the CRI cannot say, or what holds where it says nothing.
/// What the CRI says always wins.
package struct BaseSpec: Sendable, Hashable {
  var content: Content
  /// ``Content/Linux/seccomp``, which holds for who is unconfined otherwise.
  let seccomp: SeccompProfile?
  /// Instead of those that every container has.
  let capabilities: Set<Capability>?

  /// The members that count. Those in ``decidedByCRI`` may be there, as `runc spec` writes them, and mean nothing; any other is an error.
  struct Content: Sendable, Hashable, Codable {
    struct Process: Sendable, Hashable, Codable {
      struct User: Sendable, Hashable, Codable {
        var umask: UInt32?
      }

      struct Capabilities: Sendable, Hashable, Codable {
        var bounding: [String]?
      }

      var user: User?
      var cwd: String?
      var env: [String]?
      var capabilities: Capabilities?
      var rlimits: [RuntimeSpec.Rlimit]?
      var apparmorProfile: String?
      var scheduler: RuntimeSpec.Process.Scheduler?
      var ioPriority: RuntimeSpec.Process.IOPriority?
    }

    struct Root: Sendable, Hashable, Codable {
      var readonly: Bool?
    }

    struct Linux: Sendable, Hashable, Codable {
      var sysctl: [String: String]?
      var devices: [RuntimeSpec.Device]?
      var resources: RuntimeSpec.Resources?
      var rootfsPropagation: String?
      var seccomp: RuntimeSpec.Seccomp?
      var intelRdt: RuntimeSpec.IntelRDT?
      var personality: RuntimeSpec.Linux.Personality?
    }

    var process: Process?
    var root: Root?
    var mounts: [RuntimeSpec.Mount]?
    var hooks: RuntimeSpec.Hooks?
    var annotations: [String: String]?
    var linux: Linux?
  }

  private static let decidedByCRI: Set = [
    "ociVersion", "root", "hostname", "process.terminal", "process.consoleSize", "process.user", "process.args", "process.capabilities",
    "process.noNewPrivileges", "process.oomScoreAdj", "process.selinuxLabel", "linux.namespaces", "linux.uidMappings", "linux.gidMappings",
    "linux.cgroupsPath", "linux.maskedPaths", "linux.readonlyPaths", "linux.mountLabel",
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
    if let cwd = content.process?.cwd, !cwd.hasPrefix("/") {
      throw DocumentError("base_runtime_spec", "process.cwd: \"\(cwd.prefix(200))\" is not absolute")
    }
    return BaseSpec(content: content, seccomp: try seccomp(content), capabilities: try capabilities(content))
  }

  private static func seccomp(_ content: Content) throws(DocumentError) -> SeccompProfile? {
    guard let filter = content.linux?.seccomp else { return nil }
    do {
      let profile = try SeccompProfile.parse(JSONDocument.encode(filter))
      _ = try profile.resolved(for: Capability.all)
      return profile
    } catch { throw DocumentError("base_runtime_spec", "linux.seccomp: \(Fault(error).message)") }
  }

  private static func capabilities(_ content: Content) throws(DocumentError) -> Set<Capability>? {
    guard let names = content.process?.capabilities?.bounding else { return nil }
    do { return try ContainerDefaults.capabilities(names) } catch {
      throw DocumentError("base_runtime_spec", "process.capabilities.bounding: \(error.message)")
    }
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
