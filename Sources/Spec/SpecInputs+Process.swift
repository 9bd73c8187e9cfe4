import CRIAPI
package import Core
package import OCI

extension SpecInputs {
  /// The container's first process.
  func process(_ capabilities: CapabilitySets) throws(Fault) -> RuntimeSpec.Process {
    let args = try ContainerCommand.resolve(command: container.command, args: container.args, image: image)
    var process = RuntimeSpec.Process(
      args: args, env: try Environment(self).entries, cwd: try ContainerCommand.workingDirectory(self), user: try user())
    try process.check()
    if container.tty { process.terminal = true }
    process.rlimits = node.defaults.limits.isEmpty ? nil : node.defaults.limits
    process.capabilities = capabilities.spec
    process.noNewPrivileges = security.noNewPrivs ? true : nil
    process.oomScoreAdj = oomScore
    process.execCPUAffinity = execProcessor.map { RuntimeSpec.Affinity("\($0)") }
    process.selinuxLabel = labels?.process
    process.apparmorProfile = try appArmorProfile()
    return process
  }

  /// Never left out: the container would inherit the shim's, which keeps it from being killed.
  private var oomScore: Int { node.oomScore(container.linux.resources.oomScoreAdj) }
}

/// A process that joins a running container.
package enum ExecProcess {
  /// Same user, rights, environment and directory as the container's first process.
  package static func make(base: RuntimeSpec.Process, command: [String], tty: Bool) throws(Fault) -> RuntimeSpec.Process {
    guard let program = command.first, !program.isEmpty else { throw Fault(.invalidArgument, "cmd: no command specified") }
    if command.contains(where: { $0.utf8.contains(0) }) { throw Fault(.invalidArgument, "cmd: a word has a NUL byte") }
    try RuntimeSpec.Process.checkLengths(command, "cmd")
    var process = base
    process.args = command
    process.terminal = tty ? true : nil
    process.consoleSize = nil
    var environment = Environment(base.env)
    if tty, !environment.has("TERM") { environment.set("TERM=xterm") }
    process.env = environment.entries
    return process
  }
}

extension RuntimeSpec.Process {
  /// MAX_ARG_STRLEN (execve(2)), the NUL at the end included.
  private static let longestWord = 131_072

  /// The CRI's own words were checked for NUL bytes before: what is left comes from the image.
  fileprivate func check() throws(Fault) {
    for (name, words) in [("command", args), ("environment", env), ("working directory", [cwd])] {
      if words.contains(where: { $0.utf8.contains(0) }) { throw Fault(.invalidArgument, "the image's \(name) has a NUL byte") }
      try Self.checkLengths(words, name)
    }
  }

  /// The runtime finds out when it is too late to say so: the container would end at once, without a word.
  fileprivate static func checkLengths(_ words: [String], _ field: String) throws(Fault) {
    guard let index = words.firstIndex(where: { $0.utf8.count >= longestWord }) else { return }
    throw Fault(.invalidArgument, "\(field)[\(index)]: \(words[index].utf8.count) bytes, the kernel takes at most \(longestWord - 1)")
  }
}
