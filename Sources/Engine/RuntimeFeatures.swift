import Core
import FoundationEssentials
package import Linux
import Synchronization

/// What an OCI runtime can do, as far as somebody asks (OCI runtime spec, features.md).
package struct RuntimeFeatures: Sendable, Hashable {
  /// Bind mounts that are read-only with all that is mounted below them (`rro`).
  package var recursiveReadOnly: Bool
  /// Berth shows files with other owners itself: a runtime only joins the namespace, and any of them can.
  package var userNamespaces: Bool
  /// `linux.netDevices`.
  package var netDevices = false
  /// `linux.intelRdt.schemata`.
  package var rdtSchemata = false

  static let unknown = RuntimeFeatures(recursiveReadOnly: false, userNamespaces: false)
}

/// One question a runtime, by its `features` command; its answer holds as long as its file does.
package actor RuntimeFeaturesCache {
  private struct Answer: Decodable {
    struct Linux: Decodable {
      struct Ability: Decodable {
        var enabled: Bool?
        var schemata: Bool?
      }
      var namespaces: [String]?
      var intelRdt: Ability?
      var netDevices: Ability?
    }
    var mountOptions: [String]?
    var linux: Linux?
  }

  private var known: [String: (version: Files.Version?, answer: Task<RuntimeFeatures, Never>)] = [:]
  private let kernel: KernelVersion

  package init(kernel: KernelVersion = .current) { self.kernel = kernel }

  package func of(_ runtime: String) async -> RuntimeFeatures {
    let version = Files.version(runtime)
    if let entry = known[runtime], entry.version == version { return await entry.answer.value }
    let answer = Task { [kernel] in await Self.ask(runtime, kernel) }
    known[runtime] = (version, answer)
    return await answer.value
  }

  /// A runtime that does not know the question is an old one: recursive read-only mounts came with it.
  private static func ask(_ runtime: String, _ kernel: KernelVersion) async -> RuntimeFeatures {
    let output = try? await Command.run(runtime, ["features"], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], timeout: .seconds(10))
    guard let output, output.succeeded, let answer = try? JSONDecoder().decode(Answer.self, from: Data(output.stdout)) else {
      return RuntimeFeatures(recursiveReadOnly: false, userNamespaces: true)
    }
    let namespaces = answer.linux?.namespaces ?? ["user"]
    return RuntimeFeatures(
      recursiveReadOnly: kernel >= .mountAttributes && (answer.mountOptions ?? []).contains("rro"),
      userNamespaces: namespaces.contains("user"),
      netDevices: answer.linux?.netDevices?.enabled == true, rdtSchemata: answer.linux?.intelRdt?.schemata == true)
  }
}

extension KernelVersion {
  /// mount_setattr(2), by which runtimes make mounts read-only with all below: their `rro` says only that they know the option.
  fileprivate static let mountAttributes = KernelVersion(major: 5, minor: 12)
}
