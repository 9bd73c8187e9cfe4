import Core
import Engine
import Linux
import OCI
import Settings
import Spec

/// `[runtimes.NAME]` as the engine takes it: by handler, the default one under the empty name too.
extension Configuration.Runtimes {
  /// Handler → program; the empty name is the default handler. A handler whose program is missing is left out, except the default one.
  func paths() throws -> [String: String] {
    var paths: [String: String] = [:]
    for name in handlers.keys { if let path = try? executable(of: name) { paths[name] = path } }
    paths[""] = paths[standard] ?? standard
    return paths
  }

  /// Those that name one.
  func snapshotters(_ known: [String: any Snapshotter]) -> [String: any Snapshotter] { each { $0.snapshotter.flatMap { known[$0] } } }

  var annotations: [String: PassedAnnotations] {
    each { PassedAnnotations(pod: $0.podAnnotations, container: $0.containerAnnotations) }
  }

  var networks: [String: HandlerNetwork] {
    each {
      $0.networkDirectory == nil && $0.maximumNetworks == nil
        ? nil : HandlerNetwork(directory: $0.networkDirectory, count: $0.maximumNetworks)
    }
  }

  var creation: [String: CreationSettings] { each(\.creation) }

  /// INVALID_ARGUMENT for an annotation that nothing is known of.
  func allowedAnnotations() throws(Fault) -> [String: AllowedAnnotations] {
    var allowed: [String: AllowedAnnotations] = [:]
    for (name, handler) in handlers {
      allowed[name] = try stage("runtimes.\(name).allowed_annotations") { try AllowedAnnotations(handler.allowedAnnotations) }
    }
    allowed[""] = allowed[standard]
    return allowed
  }

  var roots: [String: String] { each(\.stateRoot) }

  var shimEnvironments: [String: [String]] { each { $0.monitorEnvironment.isEmpty ? nil : $0.monitorEnvironment } }

  var platformPrograms: [String: [Platform: String]] {
    each { handler in
      let known = handler.platformPrograms.compactMap { platform, path in Platform(platform).map { ($0.normalized, path) } }
      return Dictionary(known) { $1 }
    }
  }

  /// FAILED_PRECONDITION where a file that a handler names cannot be used.
  func facts(_ node: NodeFacts, warn: (String) -> Void) throws -> [String: HandlerFacts] {
    var facts: [String: HandlerFacts] = [:]
    for (name, handler) in handlers {
      facts[name] = try stage("runtimes.\(name)") { try handler.facts() }
      if handler.writableCgroups, node.cgroupVersion == .v1 {
        warn("runtimes.\(name): cgroup_writable has no effect: this node's controllers are on cgroup v1, where it would not be safe")
      }
    }
    facts[""] = facts[standard]
    return facts
  }

  private func each<Value>(_ value: (Configuration.Runtime) -> Value?) -> [String: Value] {
    var values = handlers.compactMapValues(value)
    values[""] = values[standard]
    return values
  }
}

extension Configuration.Runtime {
  fileprivate var creation: CreationSettings {
    let options = (avoidsPivot ? ["--no-pivot"] : []) + (sharesKeyring ? ["--no-new-keyring"] : [])
    let (seconds, attoseconds) = createTimeout.components
    return CreationSettings(limit: Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000), options: options)
  }

  fileprivate func facts() throws -> HandlerFacts {
    var facts = HandlerFacts()
    facts.hidesHostDevices = hidesHostDevices
    facts.allowsAllDevices = allowsAllDevices
    facts.hasWritableCgroups = writableCgroups
    facts.minimumMemory = Int64(minimumMemory)
    (facts.isMachine, facts.execsOnFirstProcessor) = (isMachine, execAffinity == "first")
    facts.seccomp = try SeccompProfile.ofOperator(seccompProfile, "seccomp_profile")
    facts.defaultAnnotations = defaultAnnotations
    if let baseSpec {
      facts.base = try stage("base_runtime_spec \(baseSpec)") {
        do { return try BaseSpec.parse(try Files.read(baseSpec, limit: 8 << 20)) } catch let error as DocumentError {
          throw Fault(.failedPrecondition, error.reason)
        }
      }
    }
    return facts
  }
}
