import OCI

/// What CRI-O calls its seccomp notifier: a container's blocked system calls are counted, and answered as its profile would have answered them.
package struct SeccompNotifier: Sendable, Hashable {
  /// A system call that the container's filter asks about.
  package struct Call: Sendable, Hashable {
    package enum Answer: Sendable, Hashable {
      case errno(UInt32)
      case kill
    }

    /// `AUDIT_ARCH_…` and the number there.
    package var architecture: UInt32
    package var number: UInt32
    package var answer: Answer
  }

  /// The container is killed when it has tried some and then none for a while; else they are only counted.
  package var stops: Bool
  package var calls: [Call]

  /// As libseccomp names it, or its number.
  package static func name(architecture: UInt32, number: UInt32) -> String {
    SyscallTable.name(of: number, on: SyscallTable.architecture(audited: architecture, number: number)) ?? "\(number)"
  }
}

extension RuntimeSpec.Seccomp {
  private static let blocking: Set = ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD"]
  /// The OCI runtime needs them to hand the listener over: runc refuses to notify of the one, crun would wait for itself with the other.
  private static let ofRuntimes: Set = ["write", "sendmsg"]

  /// Makes the filter ask at `socket` about each call that it would have blocked, and returns these calls.
  ///
  /// libseccomp has no "ask" as the default action that a runtime could live through, so the calls that a profile blocks by naming nothing are named
  /// here: as far as the newest one that the profile knows, since runtimes answer newer ones with ENOSYS whatever the default. Calls that some rule lets
  /// through for certain arguments are blocked for others as before, unseen.
  mutating func notify(at socket: String) -> [SeccompNotifier.Call] {
    let rules = syscalls ?? []
    let passing = Set(rules.filter { !Self.blocking.contains($0.action) }.flatMap(\.names)).union(Self.ofRuntimes)
    var answers: [String: SeccompNotifier.Call.Answer] = [:]
    var result: [RuntimeSpec.SeccompRule] = []
    for rule in rules {
      let seen = Self.blocking.contains(rule.action) ? rule.names.filter { !passing.contains($0) } : []
      for name in seen where answers[name] == nil { answers[name] = .init(rule.action, rule.errnoRet) }
      result += rule.divided(seen)
    }
    if Self.blocking.contains(defaultAction) {
      let names = unnamed(beside: passing.union(answers.keys))
      for name in names { answers[name] = .init(defaultAction, defaultErrnoRet) }
      if !names.isEmpty { result.append(RuntimeSpec.SeccompRule(names: names, action: "SCMP_ACT_NOTIFY")) }
    }
    if answers.isEmpty { return [] }
    syscalls = result
    listenerPath = socket
    return calls(answers)
  }

  private func unnamed(beside named: Set<String>) -> [String] {
    let native = SyscallTable.native
    let newest = named.compactMap { SyscallTable.number(of: $0, on: native) }.max() ?? 0
    return (0...newest).compactMap { SyscallTable.name(of: $0, on: native) }.filter { !named.contains($0) }
  }

  private func calls(_ answers: [String: SeccompNotifier.Call.Answer]) -> [SeccompNotifier.Call] {
    let wanted = (architectures ?? []).compactMap(SyscallTable.architecture)
    return (wanted.isEmpty ? [SyscallTable.native] : wanted).flatMap { architecture in
      answers.compactMap { name, answer in
        SyscallTable.number(of: name, on: architecture).map {
          SeccompNotifier.Call(architecture: SyscallTable.audited(architecture), number: $0, answer: answer)
        }
      }
    }.sorted { ($0.architecture, $0.number) < ($1.architecture, $1.number) }
  }
}

extension RuntimeSpec.SeccompRule {
  /// Itself for the names that are not `seen`, and one that asks for those that are.
  fileprivate func divided(_ seen: [String]) -> [RuntimeSpec.SeccompRule] {
    let rest = names.filter { !seen.contains($0) }
    var rules: [RuntimeSpec.SeccompRule] = []
    if !rest.isEmpty { rules.append(RuntimeSpec.SeccompRule(names: rest, action: action, errnoRet: errnoRet, args: args)) }
    if !seen.isEmpty { rules.append(RuntimeSpec.SeccompRule(names: seen, action: "SCMP_ACT_NOTIFY", args: args)) }
    return rules
  }
}

extension SeccompNotifier.Call.Answer {
  /// - Parameter error: nil is EPERM, as runtimes have it.
  fileprivate init(_ action: String, _ error: UInt32?) { self = action == "SCMP_ACT_ERRNO" ? .errno(error ?? 1) : .kill }
}
