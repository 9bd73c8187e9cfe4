import Core
import Engine
import Linux
import OCI
import Settings
import Spec

/// `[runtimes.NAME]` as the engine takes it: by handler, the default one under the empty name too.
extension Configuration.Runtimes {
  /// Handler → OCI runtime; the empty name is the default handler. A handler whose program is missing is left out, except the default one.
  /// - Parameter shim: berth-shim, beside which is what drives others' shims as an OCI runtime.
  func paths(beside shim: String, warn: (String) -> Void) throws -> [String: String] {
    var paths: [String: String] = [:]
    for (name, handler) in handlers {
      do throws(Fault) {
        let program = try executable(of: name)
        paths[name] = handler.kind.isForeign ? try Configuration.Shim.companion("berth-runtime", of: shim) : program
      } catch { if handler.kind.isForeign || handler.path != nil { warn("runtimes.\(name) is not there for pods: \(error.message)") } }
    }
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

  var shimEnvironments: [String: [String]] {
    let all = handlers.map { name, handler in
      (name, handler.foreignEnvironment(shim: try? executable(of: name)) + handler.monitorEnvironment)
    }
    var environments = Dictionary(uniqueKeysWithValues: all).filter { !$0.value.isEmpty }
    environments[""] = environments[standard]
    return environments
  }

  var wantInfraContainers: Bool { handlers.values.contains { $0.wantsInfraContainer } }

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
  fileprivate var wantsInfraContainer: Bool { hasInfraContainer || kind.isForeign }

  /// What berth-runtime has to know of another's shim.
  fileprivate func foreignEnvironment(shim: String?) -> [String] {
    guard kind.isForeign, let shim else { return [] }
    return ["BERTH_V2_SHIM=\(shim)"] + (shimConfig.map { ["BERTH_V2_CONFIG=\($0)"] } ?? [])
      + (optionsType.map { ["BERTH_V2_OPTIONS_TYPE=\($0)"] } ?? []) + ["BERTH_V2_IO_TYPE=\(streamType.rawValue)"]
  }

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
    (facts.isForeign, facts.hasInfraContainer, facts.guestsPull) = (kind.isForeign, wantsInfraContainer, guestsPull)
    if let shimConfig, !Files.exists(shimConfig) {
      throw Fault(
        .failedPrecondition, "runtime_config_path \(shimConfig): is not there; correct it, or remove it for the shim's own default")
    }
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
