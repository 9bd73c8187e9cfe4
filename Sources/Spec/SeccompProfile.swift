package import Core
package import OCI

/// A seccomp profile as files hold it: the runtime spec's format, or docker's, whose rules may depend on capabilities and architecture.
package struct SeccompProfile: Hashable, Sendable, Decodable {
  package var defaultAction: String
  package var defaultErrnoRet: UInt32?
  package var architectures: [String]?
  package var flags: [String]?
  package var archMap: [ArchitectureMap]?
  package var listenerPath: String?
  package var listenerMetadata: String?
  package var syscalls: [Rule]?

  package struct ArchitectureMap: Hashable, Sendable, Decodable {
    package var architecture: String
    package var subArchitectures: [String]?
  }

  package struct Rule: Hashable, Sendable, Decodable {
    package var names: [String]?
    package var name: String?
    package var action: String
    package var errnoRet: UInt32?
    package var args: [RuntimeSpec.SeccompArgument]?
    package var includes: Filter?
    package var excludes: Filter?
  }

  package struct Filter: Hashable, Sendable, Decodable {
    package var caps: [String]?
    package var arches: [String]?
  }

  package static func parse(_ bytes: [UInt8]) throws(DocumentError) -> SeccompProfile {
    try JSONDocument.decode(SeccompProfile.self, from: bytes, as: "profile", limit: 4 << 20)
  }
}

extension SeccompProfile {
  fileprivate static let actions: Set = [
    "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",
  ]
  fileprivate static let notify = "SCMP_ACT_NOTIFY"
  /// sun_path of unix(7), its NUL aside.
  private static let pathLimit = 107
  fileprivate static let operators: Set = [
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
  ]

  /// Of the runtime spec (config-linux.md, "Seccomp").
  private static let flags: Set = [
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
  ]

  /// The rules that hold for `capabilities` on this node, and the names of system calls that nothing here knows (left out: a profile
  /// may be newer than the node).
  package func resolved(for capabilities: Set<Capability>) throws(Fault) -> (RuntimeSpec.Seccomp, unknown: [String]) {
    if defaultAction == SeccompProfile.notify {
      throw Fault(.invalidArgument, "defaultAction: SCMP_ACT_NOTIFY: the OCI runtime itself would wait for answers; rules can have it")
    }
    var result = RuntimeSpec.Seccomp(defaultAction: try SeccompProfile.known(defaultAction, SeccompProfile.actions, "defaultAction"))
    result.defaultErrnoRet = defaultErrnoRet
    for (index, flag) in (flags ?? []).enumerated() { _ = try SeccompProfile.known(flag, SeccompProfile.flags, "flags[\(index)]") }
    result.flags = flags
    result.architectures = try resolvedArchitectures()
    var rules: [RuntimeSpec.SeccompRule] = []
    var unknown: [String] = []
    for (index, rule) in (syscalls ?? []).enumerated() where rule.holds(for: capabilities) {
      try rule.check("syscalls[\(index)]")
      let names = rule.allNames
      unknown += names.filter { !SyscallTable.knows($0) }
      let known = names.filter(SyscallTable.knows)
      if known.isEmpty { continue }
      rules.append(RuntimeSpec.SeccompRule(names: known, action: rule.action, errnoRet: rule.errnoRet, args: rule.args))
    }
    result.syscalls = rules
    try addListener(to: &result)
    return (result, unknown)
  }

  /// The agent that answers for calls which ask: OCI runtimes connect to it and hand the filter over. Other profiles have no use for one.
  private func addListener(to result: inout RuntimeSpec.Seccomp) throws(Fault) {
    guard let asking = result.syscalls?.first(where: { $0.action == SeccompProfile.notify }) else { return }
    guard let path = listenerPath, !path.isEmpty else {
      throw Fault(.invalidArgument, "listenerPath: is missing, and \(asking.names[0]) has the action SCMP_ACT_NOTIFY")
    }
    guard path.hasPrefix("/"), path.utf8.count <= SeccompProfile.pathLimit, !path.utf8.contains(0) else {
      throw Fault(
        .invalidArgument, "listenerPath: \"\(path.prefix(200))\" is not an absolute path of at most \(SeccompProfile.pathLimit) bytes")
    }
    (result.listenerPath, result.listenerMetadata) = (path, listenerMetadata)
  }

  private func resolvedArchitectures() throws(Fault) -> [String]? {
    if let map = archMap, let own = map.first(where: { $0.architecture == SeccompArchitecture.all[0] }) {
      return [own.architecture] + (own.subArchitectures ?? [])
    }
    for name in architectures ?? [] { _ = try SeccompProfile.known(name, SeccompArchitecture.names, "architectures") }
    return architectures
  }

  fileprivate static func known(_ value: String, _ values: Set<String>, _ field: String) throws(Fault) -> String {
    if values.contains(value) { return value }
    throw Fault(.invalidArgument, "\(field): \"\(value.prefix(64))\" is not known")
  }
}

extension SeccompProfile.Rule {
  fileprivate var allNames: [String] { (names ?? []) + (name.map { [$0] } ?? []) }

  fileprivate func holds(for capabilities: Set<Capability>) -> Bool {
    let has = { (name: String) in Capability(named: name).map(capabilities.contains) ?? false }
    if let caps = includes?.caps, !caps.isEmpty, !caps.allSatisfy(has) { return false }
    if let arches = includes?.arches, !arches.isEmpty, !arches.contains(SeccompArchitecture.native) { return false }
    if excludes?.caps?.contains(where: has) == true { return false }
    return excludes?.arches?.contains(SeccompArchitecture.native) != true
  }

  fileprivate func check(_ field: String) throws(Fault) {
    if action == SeccompProfile.notify {
      if allNames.contains("write") {
        throw Fault(.invalidArgument, "\(field).names: write with SCMP_ACT_NOTIFY: the OCI runtime hands the filter over with it")
      }
    } else {
      _ = try SeccompProfile.known(action, SeccompProfile.actions, "\(field).action")
    }
    for (index, argument) in (args ?? []).enumerated() {
      _ = try SeccompProfile.known(argument.op, SeccompProfile.operators, "\(field).args[\(index)].op")
      if argument.index > 5 {
        throw Fault(.invalidArgument, "\(field).args[\(index)].index: \(argument.index), there are arguments 0 to 5")
      }
    }
  }
}
