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
    try Validation.checkWords(command, "cmd")
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
  /// The CRI's own words were checked before: what is wrong with any comes from the image.
  fileprivate func check() throws(Fault) {
    for (name, words) in [("command", args), ("environment", env), ("working directory", [cwd])] {
      if words.contains(where: { $0.utf8.contains(0) }) { throw Fault(.invalidArgument, "the image's \(name) has a NUL byte") }
      for word in words { try Validation.checkWordLength(word.utf8.count, "the image's \(name)") }
    }
  }
}
