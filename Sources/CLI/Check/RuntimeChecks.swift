/// Programs that run containers and set up their firewall rules.
struct RuntimeChecks {
  static let oldestRunc = VersionNumber(1, 1)

  /// Handlers by name, with their program where the configuration names one.
  var handlers: [String: String?] = ["runc": nil]
  /// Others' shims by the handler that they are for: a path, or a program's name.
  var shims: [String: String] = [:]
  /// The handler of pods that name none; the node is not fit without it.
  var standard = "runc"

  func findings(_ node: Node) async -> [Finding] {
    var findings: [Finding] = []
    for (name, path) in handlers.sorted(by: { $0.key < $1.key }) { findings.append(await runtime(name, path, node)) }
    findings += shims.sorted { $0.key < $1.key }.map { shim($0.key, $0.value, node) }
    if handlers["crun"] == nil, let crun = node.find("crun"), let version = await node.version(of: crun) {
      findings.append(.good("crun", "\(version) (\(crun)), not configured as a handler"))
    }
    return findings + [firewall(node)] + appArmor(node)
  }

  /// berthd loads the profile of RuntimeDefault with it.
  private func appArmor(_ node: Node) -> [Finding] {
    guard node.text("/sys/module/apparmor/parameters/enabled") == "Y" else { return [] }
    if let parser = node.find("apparmor_parser") { return [.good("apparmor", parser)] }
    return [.warning("apparmor", "no apparmor_parser", "RuntimeDefault confines nothing by AppArmor: apt-get install apparmor")]
  }

  private func runtime(_ name: String, _ configured: String?, _ node: Node) async -> Finding {
    let bad = name == standard ? Finding.unfit : Finding.warning
    guard let path = configured ?? node.find(name), node.exists(path) else {
      return bad(name, "\(configured ?? "the program") is not there", "apt-get install \(name), or set [runtimes.\(name)] path")
    }
    guard let line = await node.version(of: path) else {
      return bad(name, "\(path) --version fails", "apt-get install --reinstall \(name)")
    }
    if line.hasPrefix("runc "), let number = line.split(separator: " ").last.flatMap({ VersionNumber($0) }), number < Self.oldestRunc {
      return .warning(name, "\(line) is old", "use \(Self.oldestRunc) or newer")
    }
    return .good(name, "\(line) (\(path))")
  }

  /// Not asked for its version: the interface that it must have is another.
  private func shim(_ name: String, _ program: String, _ node: Node) -> Finding {
    if let path = program.hasPrefix("/") ? program : node.find(program), node.exists(path) { return .good(name, "shim \(path)") }
    let bad = name == standard ? Finding.unfit : Finding.warning
    return bad(name, "shim \(program) is not there", "install it, or set [runtimes.\(name)] path")
  }

  private func firewall(_ node: Node) -> Finding {
    guard let path = node.find("iptables") else {
      return .warning("iptables", "not found", "host ports and masquerading need it: apt-get install iptables")
    }
    return .good("iptables", path)
  }
}
