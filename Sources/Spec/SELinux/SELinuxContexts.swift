package import CRIAPI
package import Core
import Linux

/// What the node's policy calls containers (`contexts/lxc_contexts` of a policy): the labels that options of pods change.
package struct SELinuxContexts: Hashable, Sendable {
  package var process: SELinuxLabel
  package var file: SELinuxLabel
  /// Of what all containers may read and run, and none may change: layers of images. The kernel asks for the label of a layer's own file, not only for
  /// that of the overlay above it, before a program's pages change their protection.
  package var layer: SELinuxLabel
  /// Of virtual machines, and of containers that run an init system; where a policy does not tell them apart, they are as others.
  private var machine: SELinuxLabel?
  private var initSystem: SELinuxLabel?

  /// Lines like `process = "system_u:system_r:container_t:s0"`, of which `process` and `file` are needed.
  package init(_ text: String) throws(Fault) {
    var labels: [Substring: SELinuxLabel] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      labels[parts[0].filter { $0 != " " }[...]] = SELinuxLabel(parts[1].filter { $0 != " " && $0 != "\"" })
    }
    guard let process = labels["process"], let file = labels["file"] else {
      throw Fault(.failedPrecondition, "it names no label for \(labels["process"] == nil ? "process" : "file")")
    }
    (self.process, self.file, layer) = (process, file, labels["ro_file"] ?? file)
    (machine, initSystem) = (labels["kvm_process"], labels["init_process"])
  }

  /// Those of the policy that this node has (selinux_config(5)).
  package static func ofNode(_ directory: String = "/etc/selinux") throws(Fault) -> SELinuxContexts {
    try stage("SELinux's labels of containers") {
      let lines = String(decoding: try Files.read(directory + "/config"), as: UTF8.self).split(separator: "\n")
      let policy = lines.last { $0.hasPrefix("SELINUXTYPE=") }?.dropFirst("SELINUXTYPE=".count).filter { $0 != " " } ?? ""
      let path = "\(directory)/\(policy)/contexts/lxc_contexts"
      return try stage(path) { try SELinuxContexts(String(decoding: try Files.read(path), as: UTF8.self)) }
    }
  }

  private func label(_ kind: SELinuxKind) -> SELinuxLabel {
    switch kind {
    case .container: process
    case .machine: machine ?? process
    case .initSystem: initSystem ?? process
    }
  }

  /// The labels with what `options` say of the process; its files are of the same level.
  func labels(_ options: Runtime_V1_SELinuxOption, _ kind: SELinuxKind, level: String) -> SELinuxLabels {
    var (process, file) = (label(kind), file)
    if !options.user.isEmpty { process.user = options.user }
    if !options.role.isEmpty { process.role = options.role }
    if !options.type.isEmpty { process.type = options.type }
    if !process.level.isEmpty { process.level = options.level.isEmpty ? level : options.level }
    file.level = process.level
    return SELinuxLabels(process: "\(process)", file: "\(file)")
  }
}

/// What kind of process a label is for.
package enum SELinuxKind: Hashable, Sendable {
  case container
  /// A virtual machine's, which needs devices that containers must not have.
  case machine
  /// systemd's, which manages cgroups and mounts of its own.
  case initSystem

  /// By what a container runs, as podman and CRI-O tell.
  package init(command: [String]) {
    self = command.first.map(InitProgram.isOne) == true ? .initSystem : .container
  }
}

/// What labels mean on a node.
package enum SELinuxMode: Hashable, Sendable {
  /// There are none: who asks for one gets an error.
  case none(reason: String)
  /// There are none, and nobody minds.
  case ignored
  case enforced(SELinuxContexts)
}

extension Runtime_V1_SELinuxOption {
  var isEmpty: Bool { user.isEmpty && role.isEmpty && type.isEmpty && level.isEmpty }
}

extension NodeFacts {
  /// Of a pod's files, and of its containers that ask for nothing else. FAILED_PRECONDITION where labels are asked for that cannot be had.
  /// - Parameter level: gives the pod a level that no other has, where it asks for none.
  package func labels(_ pod: Runtime_V1_LinuxSandboxSecurityContext, _ kind: SELinuxKind = .container, level: () -> String) throws(Fault)
    -> SELinuxLabels?
  {
    guard let contexts = try contexts(pod.selinuxOptions, pod.privileged) else { return nil }
    return contexts.labels(pod.selinuxOptions, kind, level: pod.selinuxOptions.level.isEmpty ? level() : "")
  }

  /// The pod's, unless the container says something of its own; privileged ones are not held by labels.
  package func labels(
    _ container: Runtime_V1_LinuxContainerSecurityContext, _ kind: SELinuxKind = .container, in pod: SELinuxLabels?
  ) throws(Fault) -> SELinuxLabels? {
    guard let contexts = try contexts(container.selinuxOptions, container.privileged), !container.privileged else { return nil }
    guard let pod, let own = SELinuxLabel(pod.process), kind == .initSystem || !container.selinuxOptions.isEmpty else { return pod }
    return contexts.labels(container.selinuxOptions, kind, level: own.level)
  }

  private func contexts(_ options: Runtime_V1_SELinuxOption, _ isPrivileged: Bool) throws(Fault) -> SELinuxContexts? {
    switch selinux {
    case .enforced(let contexts): return contexts
    case .ignored: return nil
    case .none(let reason):
      if options.isEmpty || isPrivileged { return nil }
      throw Fault(
        .failedPrecondition,
        "linux.security_context.selinux_options: labels cannot be had: \(reason); with [containers] selinux = \"ignored\" they mean nothing"
      )
    }
  }
}
